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
            let blocks = (section.byteCount + UInt64(Self.blockBytes) - 1) / UInt64(Self.blockBytes)
            guard section.offset == end, UInt64(section.checksums.count) == blocks,
                section.byteCount <= header.tableOffset
            else { throw SnapshotError(.damaged, "The snapshot's table does not fit its sections.") }
            end += section.byteCount
            sections.append(section)
        }
        guard reader.isAtEnd, end == header.tableOffset else {
            throw SnapshotError(.damaged, "The snapshot's table does not end where it should.")
        }
    }
}
