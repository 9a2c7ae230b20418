/// The first block of a snapshot: what it is of, how much of it there is, and the checksum of the table that has all others.
package struct SnapshotHeader: Sendable, Hashable {
    /// Grows whenever the file's form changes.
    static let formatVersion: UInt32 = 1
    static let byteCount = 4096
    /// PNG's idea: a transfer that takes it for text shows.
    private static let magic: [UInt8] = Array("HGSNAP\r\n".utf8)

    /// What must be the same for the snapshot to be used; the caller's words.
    package let subject: String
    /// Up to where the snapshot has followed.
    package let position: Int64
    /// Microseconds since 1970.
    package let writtenAt: Int64

    var tableOffset: UInt64 = 0
    var tableBytes: UInt64 = 0
    var tableChecksum: UInt32 = 0
    var sectionCount: UInt32 = 0

    /// Sections that a snapshot may have.
    static let maxSections: UInt32 = 256

    /// Bytes that a subject may have.
    package static let maxSubjectBytes = byteCount - 128

    package init(subject: String, position: Int64, writtenAt: Int64) {
        precondition(subject.utf8.count <= Self.maxSubjectBytes, "a snapshot's subject must fit into its header")
        self.subject = subject
        self.position = position
        self.writtenAt = writtenAt
    }

    /// No more than a file can have.
    var fileBytes: UInt64 { tableOffset + tableBytes }

    var encoded: [UInt8] {
        var writer = ByteWriter()
        for byte in Self.magic { writer.append(byte) }
        writer.append(Self.formatVersion)
        writer.append(sectionCount)
        writer.append(tableOffset)
        writer.append(tableBytes)
        writer.append(tableChecksum)
        writer.append(position)
        writer.append(writtenAt)
        writer.append(subject)
        var bytes = writer.bytes + [UInt8](repeating: 0, count: Self.byteCount - 4 - writer.bytes.count)
        var checksum = ByteWriter()
        checksum.append(Checksum.of(unsafe bytes.span.bytes))
        bytes += checksum.bytes
        return bytes
    }

    /// - Throws: `.damaged`, `.otherFormat`.
    init(_ bytes: [UInt8]) throws(SnapshotError) {
        guard bytes.count == Self.byteCount else { throw SnapshotError(.damaged, "The snapshot has no whole header.") }
        var checksum = ByteReader(Array(bytes.suffix(4)))
        let body = Array(bytes.dropLast(4))
        guard try checksum.number(UInt32.self) == Checksum.of(unsafe body.span.bytes) else {
            throw SnapshotError(.damaged, "The snapshot's header is damaged.")
        }
        guard body.starts(with: Self.magic) else { throw SnapshotError(.otherFormat, "The file is no snapshot.") }
        var reader = ByteReader(Array(body.dropFirst(Self.magic.count)))
        let version = try reader.number(UInt32.self)
        guard version == Self.formatVersion else {
            throw SnapshotError(.otherFormat, "The snapshot's format is \(version), and this program's is \(Self.formatVersion).")
        }
        sectionCount = try reader.number(UInt32.self)
        tableOffset = try reader.number(UInt64.self)
        tableBytes = try reader.number(UInt64.self)
        tableChecksum = try reader.number(UInt32.self)
        position = try reader.number(Int64.self)
        writtenAt = try reader.number(Int64.self)
        subject = try reader.text()
        guard position >= 0, hasPlaceForTable else {
            throw SnapshotError(.damaged, "The snapshot's header holds numbers that cannot be one's.")
        }
    }

    /// A checksum tells what has changed and not what was wrong from the beginning: none of these numbers is used before it has a bound.
    private var hasPlaceForTable: Bool {
        let (end, isTooFar) = tableOffset.addingReportingOverflow(tableBytes)
        return !isTooFar && end <= UInt64(Int64.max) && tableOffset >= UInt64(Self.byteCount) && sectionCount <= Self.maxSections
            && tableBytes <= SnapshotTable.mostBytes(sections: sectionCount, before: tableOffset)
    }
}
