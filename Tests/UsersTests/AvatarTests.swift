internal import Application
internal import Contracts
internal import Foundation
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing

@testable internal import Users

/// The beginnings of pictures, with as much behind them as is read.
enum Pictures {
    static func png(_ width: Int = 3, _ height: Int = 2, more: Int = 0) -> [UInt8] {
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + big(13, 4) + Array("IHDR".utf8) + big(width, 4) + big(height, 4)
            + [8, 2, 0, 0, 0] + big(0, 4) + Array(repeating: 7, count: more) + big(0, 4) + Array("IEND".utf8) + big(0xAE42_6082, 4)
    }

    /// An APP0, fill bytes and a comment before the frame.
    static func jpeg(_ width: Int = 3, _ height: Int = 2, frame: Int = 0xFFC2) -> [UInt8] {
        [0xFF, 0xD8, 0xFF, 0xE0] + big(4, 2) + [1, 2, 0xFF, 0xFF, 0xFF, 0xFE] + big(3, 2) + [9] + big(frame, 2) + big(11, 2) + [8] + big(height, 2) + big(width, 2)
            + [1, 1, 0x11, 0, 0xFF, 0xDA, 0, 2, 0xFF, 0xD9]
    }

    static func webp(_ chunk: String, _ body: [UInt8]) -> [UInt8] {
        let rest = Array("WEBP".utf8) + Array(chunk.utf8) + little(body.count, 4) + body
        return Array("RIFF".utf8) + little(rest.count, 4) + rest
    }

    static func big(_ number: Int, _ size: Int) -> [UInt8] { (0..<size).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    static func little(_ number: Int, _ size: Int) -> [UInt8] { big(number, size).reversed() }
}

@Suite struct `A picture` {
    @Test func `is told by its first bytes, with its size`() throws {
        let lossy = Pictures.webp("VP8 ", [0, 0, 0, 0x9D, 0x01, 0x2A] + Pictures.little(300, 2) + Pictures.little(200, 2))
        let lossless = Pictures.webp("VP8L", [0x2F] + Pictures.little(299 | 199 << 14, 4))
        let extended = Pictures.webp("VP8X", [0, 0, 0, 0] + Pictures.little(299, 3) + Pictures.little(199, 3))
        let known: [([UInt8], Picture.MediaType, Int32, Int32)] = [
            (Pictures.png(), .png, 3, 2), (Pictures.jpeg(), .jpeg, 3, 2), (Pictures.jpeg(2_048, 1, frame: 0xFFC0), .jpeg, 2_048, 1),
            (lossy, .webp, 300, 200), (lossless, .webp, 300, 200), (extended, .webp, 300, 200),
        ]
        for (content, type, width, height) in known {
            let picture = try Picture(content)
            #expect(picture.mediaType == type && picture.width == width && picture.height == height)
            #expect(picture.content == content)
        }
    }

    @Test func `is nothing else, and of no size that is not kept`() {
        let svg = Array(#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#.utf8)
        var refused: [[UInt8]] = [
            [], svg, Array("GIF89a".utf8) + [1, 0, 1, 0], [0xFF, 0xD8, 0xFF, 0xD9], Array("%PDF-1.7".utf8), Pictures.png(0, 1), Pictures.png(2_049, 1),
            Pictures.png(1, 1 << 31), Pictures.jpeg(0, 1), Pictures.jpeg(1, 65_535), Pictures.png(more: Picture.mostBytes), Pictures.png() + svg,
            Pictures.jpeg() + svg, Pictures.webp("VP8L", [0x2F] + Pictures.little(299, 4)) + [0], Pictures.webp("ANIM", Array(repeating: 0, count: 20)),
            Pictures.jpeg(frame: 0xFFC4),
        ]
        // Each that is cut short anywhere.
        for whole in [Pictures.png(), Pictures.jpeg(), Pictures.webp("VP8X", [0, 0, 0, 0] + Pictures.little(1, 3) + Pictures.little(1, 3))] {
            refused += whole.indices.map { Array(whole[..<$0]) }
        }
        for content in refused { #expect(throws: InvalidValue.self, "\(content.prefix(40))") { try Picture(content) } }
    }
}

@Suite struct `An avatar` {
    @Test func `is one a person, and that person's alone`() async throws {
        try await withUsers { users in
            let service = AvatarsService(avatars: AvatarRepository(postgres: users.postgres))
            let (ada, bob) = (try await users.newcomer(), try await users.newcomer())
            await expect(.notFound) { try await service.getAvatar(.init(), context: ada) }

            let first = try #require(try await service.uploadAvatar(.init(content: Pictures.png()), context: ada).avatar)
            #expect(try await service.uploadAvatar(.init(content: Pictures.png()), context: ada).avatar == first)
            let second = try #require(try await service.uploadAvatar(.init(content: Pictures.jpeg(40, 30)), context: ada).avatar)
            let got = try await service.getAvatar(.init(), context: ada)

            #expect(first.mediaType == "image/png" && first.sha256.count == 64)
            #expect(second.mediaType == "image/jpeg" && second.width == 40 && second.height == 30 && second.sha256 != first.sha256)
            #expect(got.avatar == second && got.content == Pictures.jpeg(40, 30))
            await expect(.notFound) { try await service.getAvatar(.init(), context: bob) }
            await expect(.notFound) { try await service.deleteAvatar(.init(), context: bob) }
            await expect(.invalidArgument, fields: ["content"]) { try await service.uploadAvatar(.init(content: Array("<svg/>".utf8)), context: ada) }
            #expect(try await service.getAvatar(.init(), context: ada) == got)
            _ = try await service.deleteAvatar(.init(), context: ada)
            await expect(.notFound) { try await service.deleteAvatar(.init(), context: ada) }
            await expect(.notFound) { try await service.uploadAvatar(.init(content: Pictures.png()), context: context(of: UUID())) }
        }
    }

    @Test func `may have half a megabyte`() async throws {
        try await withUsers { users in
            let service = AvatarsService(avatars: AvatarRepository(postgres: users.postgres))
            let ada = try await users.newcomer()
            let largest = Pictures.png(more: Picture.mostBytes - Pictures.png().count)

            _ = try await service.uploadAvatar(.init(content: largest), context: ada)

            #expect(try await service.getAvatar(.init(), context: ada).content == largest)
        }
    }
}
