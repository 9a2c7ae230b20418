/// What is where in a snapshot, and the checksum of each of its blocks. It stands behind all sections, since a checksum is known
/// once its block has been written.
struct SnapshotTable: Sendable {
    struct Section: Sendable {
        let id: UInt32
        let offset: UInt64
        var byteCount: UInt64 = 0
        /// One a block; only the last block may be shorter than `blockBytes`.
        var checksums: [UInt32] = []
    }

    /// Large enough that reading one is no more than that, and small enough that two threads share the work.
    static let blockBytes = 1 << 20

    var sections: [Section] = []

    /// How long the table of so many sections can be that end at an offset: each has its numbers, and a checksum for each block.
    static func mostBytes(sections: UInt32, before offset: UInt64) -> UInt64 {
        UInt64(sections) * 33 + offset / UInt64(blockBytes) * 4
    }

    var encoded: [UInt8] {
        var writer = ByteWriter()
        for section in sections {
            writer.append(section.id)
            writer.append(section.offset)
            writer.append(section.byteCount)
            writer.append(section.checksums)
        }
        return writer.bytes
    }

    init() {}

    /// The table of a file whose sections lie without a gap between its header and this table, so that no byte is without a checksum.
    init(_ bytes: [UInt8], _ header: SnapshotHeader) throws(SnapshotError) {
        guard Checksum.of(unsafe bytes.span.bytes) == header.tableChecksum else {
            throw SnapshotError(.damaged, "The snapshot's table is damaged.")
        }
        var reader = ByteReader(bytes)
        var end = UInt64(SnapshotHeader.byteCount)
        for _ in 0..<header.sectionCount {
            let section = Section(
                id: try reader.number(UInt32.self), offset: try reader.number(UInt64.self),
                byteCount: try reader.number(UInt64.self), checksums: try reader.numbers())
            guard section.offset == end, section.byteCount <= header.tableOffset - end,
                UInt64(section.checksums.count) == Self.blocks(of: section.byteCount), !sections.contains(where: { $0.id == section.id })
            else { throw SnapshotError(.damaged, "The snapshot's table does not fit its sections.") }
            end += section.byteCount
            sections.append(section)
        }
        guard reader.isAtEnd, end == header.tableOffset else {
            throw SnapshotError(.damaged, "The snapshot's table does not end where it should.")
        }
    }

    /// - Parameter byteCount: no more than a file's.
    private static func blocks(of byteCount: UInt64) -> UInt64 {
        (byteCount + UInt64(blockBytes) - 1) / UInt64(blockBytes)
    }
}
