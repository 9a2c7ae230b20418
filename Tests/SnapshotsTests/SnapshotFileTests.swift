import Foundation
import Snapshots
import TestSupport
import Testing

@Suite struct `A snapshot file` {
    @Test func `gives back what was put in, however it was put in`() throws {
        try withFolder { folder in
            let sections = Self.sections
            try write(sections, in: folder)

            let reader = try #require(try SnapshotReader.open("\(folder)/a"))

            #expect(reader.header.subject == "test")
            #expect(reader.header.position == 42)
            #expect(reader.header.writtenAt == 7)
            for (id, bytes) in sections {
                #expect(try reader.read(id, threads: 2) == bytes)
                #expect(reader.byteCount(of: id) == bytes.count)
            }
            #expect(reader.byteCount(of: 99) == 0)
            try reader.verify(threads: 2)
        }
    }

    @Test func `that is not there is none`() throws {
        try withFolder { folder in
            let reader = try SnapshotReader.open("\(folder)/a")
            #expect(reader == nil)
        }
    }

    @Test func `shows a flipped bit in every byte of it`() throws {
        try withFolder { folder in
            try write([(1, Array("some bytes".utf8)), (2, []), (3, (0..<600).map { UInt8($0 & 255) })], in: folder)
            let whole = try Data(contentsOf: URL(filePath: "\(folder)/a"))
            var generator = SeededGenerator(seed: 2)

            for place in whole.indices {
                var damaged = whole
                damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                try damaged.write(to: URL(filePath: "\(folder)/a"))
                #expect(isRefused("\(folder)/a"), "byte \(place)")
            }
        }
    }

    @Test func `of many blocks shows a flipped bit and a lost piece in each`() throws {
        try withFolder { folder in
            try write(Self.sections, in: folder)
            let whole = try Data(contentsOf: URL(filePath: "\(folder)/a"))
            var generator = SeededGenerator(seed: 3)

            for _ in 0..<40 {
                var damaged = whole
                damaged[Int.random(in: whole.indices, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                try damaged.write(to: URL(filePath: "\(folder)/a"))
                #expect(isRefused("\(folder)/a"))

                try whole.prefix(Int.random(in: whole.indices, using: &generator)).write(to: URL(filePath: "\(folder)/a"))
                #expect(isRefused("\(folder)/a"))
            }
            try (whole + [0]).write(to: URL(filePath: "\(folder)/a"))
            #expect(isRefused("\(folder)/a"))
        }
    }

    @Test func `of another format is told from a damaged one`() throws {
        try withFolder { folder in
            try write([(1, [1, 2, 3])], in: folder)
            var bytes = Array(try Data(contentsOf: URL(filePath: "\(folder)/a")))
            bytes[8] = 2  // the version, behind the magic bytes
            var checksum = ByteWriter()
            let body = Array(bytes[..<4092])
            checksum.append(Checksum.of(unsafe body.span.bytes))
            bytes.replaceSubrange(4092..<4096, with: checksum.bytes)
            try Data(bytes).write(to: URL(filePath: "\(folder)/a"))

            #expect { try SnapshotReader.open("\(folder)/a") } throws: { ($0 as? SnapshotError)?.code == .otherFormat }
        }
    }

    @Test func `stays what it was until another is whole`() throws {
        try withFolder { folder in
            try write([(1, [1])], in: folder)

            var writer: SnapshotWriter? = try SnapshotWriter(Self.header, in: folder, as: "a")
            try writer?.append(unsafe [UInt8(2)].span.bytes, to: 1)
            try writer?.close()
            #expect(try SnapshotReader.open("\(folder)/a")?.read(1) == [1])
            writer = nil

            #expect(try SnapshotReader.open("\(folder)/a")?.read(1) == [1])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a"])
        }
    }

    @Test func `for which there is no room is an error, and leaves the old one`() throws {
        try withFolder { folder in
            try write([(1, [1])], in: folder)
            // Writing to /dev/full always finds the disk full.
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/a.new", withDestinationPath: "/dev/full")

            #expect { try write([(1, [2])], in: folder) } throws: { ($0 as? SnapshotError)?.code == .diskFull }

            #expect(try SnapshotReader.open("\(folder)/a")?.read(1) == [1])
            try write([(1, [3])], in: folder)
            #expect(try SnapshotReader.open("\(folder)/a")?.read(1) == [3])
        }
    }

    @Test func `is for its owner's eyes alone`() throws {
        try withFolder { folder in
            try write([(1, [1])], in: folder)
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/a")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test func `is read from the memory it was checked in, whatever becomes of the file`() throws {
        try withFolder { folder in
            try write(Self.sections, in: folder)
            let reader = try #require(try SnapshotReader.open("\(folder)/a"))
            let bytes = try reader.read(2)
            try FileManager.default.removeItem(atPath: "\(folder)/a")

            #expect(bytes == Self.sections[1].bytes)
        }
    }

    private static let header = SnapshotHeader(subject: "test", position: 42, writtenAt: 7)

    /// Less than a block, several and a part, exactly two, and nothing.
    private static var sections: [(id: UInt32, bytes: [UInt8])] {
        var generator = SeededGenerator(seed: 9)
        let lengths: [(id: UInt32, count: Int)] = [(1, 1_000), (2, 2_500_000), (3, 2 << 20), (4, 0), (5, 1)]
        return lengths.map { id, count in
            var bytes = [UInt8](repeating: 0, count: count)
            for place in stride(from: 0, to: count, by: 97) { bytes[place] = UInt8.random(in: 0...255, using: &generator) }
            return (id, bytes)
        }
    }

    private func write(_ sections: [(id: UInt32, bytes: [UInt8])], in folder: String) throws {
        let writer = try SnapshotWriter(Self.header, in: folder, as: "a")
        for (id, bytes) in sections {
            // In pieces that fall on no block's end.
            for start in stride(from: 0, to: max(1, bytes.count), by: 700_001) {
                let piece = Array(bytes[min(start, bytes.count)..<min(start + 700_001, bytes.count)])
                try writer.append(unsafe piece.span.bytes, to: id)
            }
        }
        try writer.close()
        _ = try writer.putInPlace()
    }

    private func isRefused(_ path: String) -> Bool {
        do {
            try #require(try SnapshotReader.open(path)).verify(threads: 2)
            return false
        } catch {
            return error is SnapshotError
        }
    }
}

/// Lends a folder of the test's own.
private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "heartguard-snapshots-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // What is left in the temporary folder does no harm.
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
}
