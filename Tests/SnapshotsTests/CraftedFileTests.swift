import Foundation
import Snapshots
import Testing

/// A checksum tells nothing of numbers that were wrong when it was made: each of these files has the right ones.
@Suite struct `A crafted file` {
    @Test func `that says what is so is read`() throws {
        let reader = try #require(try open(CraftedFile()))

        try reader.verify(threads: 1)
        #expect(try reader.read(1) == CraftedFile.content)
    }

    @Test func `whose table is where no file reaches is refused`() throws {
        let numbers: [UInt64] = [0, 1, 4_095, 1 << 40, 1 << 63, UInt64.max - 1, UInt64.max]
        for offset in numbers {
            for count in numbers {
                var file = CraftedFile()
                file.tableOffset = offset
                file.tableBytes = count
                expectRefused(file, "\(count) bytes at \(offset)")
            }
        }
        // The two numbers' sum is the length, without the bit that it has too many.
        var file = CraftedFile()
        let length = UInt64(file.bytes.count)
        file.tableOffset = UInt64.max - 99
        file.tableBytes = length &- (UInt64.max - 99)
        expectRefused(file, "a sum that overflows")
    }

    @Test func `whose sections are not what lies before the table is refused`() throws {
        let content = UInt64(CraftedFile.content.count)
        let counts: [UInt64] = [0, content - 1, content + 1, 1 << 40, 1 << 63, UInt64.max - 1_048_575, UInt64.max]
        for count in counts {
            var file = CraftedFile()
            file.sections[0].byteCount = count
            expectRefused(file, "\(count) bytes")
        }
        let offsets: [UInt64] = [0, 4_095, 4_097, 1 << 63, UInt64.max]
        for offset in offsets {
            var file = CraftedFile()
            file.sections[0].offset = offset
            expectRefused(file, "a section at \(offset)")
        }
    }

    @Test func `with other numbers of sections and checksums than there are is refused`() throws {
        for count in [0, 2, 257, UInt32.max] {
            var file = CraftedFile()
            file.sectionCount = count
            expectRefused(file, "\(count) sections")
        }
        var twice = CraftedFile()
        twice.sections.append(.init(id: 1, offset: 4_096 + UInt64(CraftedFile.content.count), byteCount: 0, checksums: []))
        expectRefused(twice, "two sections with one id")
        var more = CraftedFile()
        more.sections[0].checksums.append(0)
        expectRefused(more, "a checksum of nothing")
        var claimed = CraftedFile()
        claimed.checksumCounts[0] = 1 << 62
        expectRefused(claimed, "more checksums than there is room for")
    }

    @Test func `that has followed less than nothing is refused`() throws {
        for position in [-1, Int64.min] {
            var file = CraftedFile()
            file.position = position
            expectRefused(file, "position \(position)")
        }
    }

    private func expectRefused(_ file: CraftedFile, _ what: String) {
        do {
            _ = try open(file)
            Issue.record("\(what)")
        } catch {
            #expect((error as? SnapshotError)?.code == .damaged, "\(what)")
        }
    }

    private func open(_ file: CraftedFile) throws -> SnapshotReader? {
        let path = FileManager.default.temporaryDirectory.appending(path: "heartguard-crafted-\(UUID().uuidString)").path
        try Data(file.bytes).write(to: URL(filePath: path))
        // What is open can be read without its name. What is left in the temporary folder does no harm.
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try SnapshotReader.open(path)
    }
}

/// A file of one section, as long as nobody changes what it says of itself.
private struct CraftedFile {
    struct Section {
        var id: UInt32
        var offset: UInt64
        var byteCount: UInt64
        var checksums: [UInt32]
    }

    static let content = [UInt8](repeating: 7, count: 100)

    var sections = [
        Section(
            id: 1, offset: 4_096, byteCount: UInt64(CraftedFile.content.count), checksums: [CraftedFile.checksum(CraftedFile.content)])
    ]
    /// What stands before a section's checksums, if it is not how many there are.
    var checksumCounts: [Int: Int] = [:]
    var sectionCount: UInt32?
    var tableOffset: UInt64?
    var tableBytes: UInt64?
    var position: Int64 = 42

    var bytes: [UInt8] {
        var table = ByteWriter()
        for (place, section) in sections.enumerated() {
            table.append(section.id)
            table.append(section.offset)
            table.append(section.byteCount)
            table.appendShort(checksumCounts[place] ?? section.checksums.count)
            for checksum in section.checksums { table.append(checksum) }
        }
        var header = ByteWriter()
        for byte in "HGSNAP\r\n".utf8 { header.append(byte) }
        header.append(UInt32(1))
        header.append(sectionCount ?? UInt32(sections.count))
        header.append(tableOffset ?? 4_096 + UInt64(Self.content.count))
        header.append(tableBytes ?? UInt64(table.bytes.count))
        header.append(Self.checksum(table.bytes))
        header.append(position)
        header.append(Int64(0))
        header.append("crafted")
        while header.bytes.count < 4_092 { header.append(UInt8(0)) }
        header.append(Self.checksum(header.bytes))
        return header.bytes + Self.content + table.bytes
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 { Checksum.of(unsafe bytes.span.bytes) }
}
