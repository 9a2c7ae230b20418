/// Writes a snapshot beside the one that is there, and puts it in its place once all of it is on the disk: who reads meanwhile, or
/// starts after a crash, finds the old one or the new one, whole.
package final class SnapshotWriter {
    private let folder: String
    private let name: String
    private let file: SnapshotFile
    private var header: SnapshotHeader
    private var table = SnapshotTable()
    private var end = UInt64(SnapshotHeader.byteCount)
    /// What has come of a section's last block, until it is full.
    private var pending = ByteWriter()
    private var isInPlace = false

    /// How the file is called that a writer has not finished.
    package static let temporarySuffix = ".new"

    /// - Throws: `.diskFull`, `.file`, as everything here.
    package init(_ header: SnapshotHeader, in folder: String, as name: String) throws(SnapshotError) {
        self.header = header
        self.folder = folder
        self.name = name
        file = try SnapshotFile.create("\(folder)/\(name)\(Self.temporarySuffix)")
    }

    /// Removes a snapshot; one that is not there is removed already.
    package static func remove(_ path: String) throws(SnapshotError) { try SnapshotFile.remove(path) }

    /// What was not finished goes.
    deinit {
        // What is left behind goes at the next start, or with the next snapshot.
        if !isInPlace { try? SnapshotFile.remove("\(folder)/\(name)\(Self.temporarySuffix)") }
    }

    /// Puts bytes behind those that a section has; it is begun by its first.
    package func append(_ bytes: RawSpan, to section: UInt32) throws(SnapshotError) {
        if table.sections.last?.id != section { try beginSection(section) }
        var rest = bytes
        while rest.byteCount > 0 {
            let room = SnapshotTable.blockBytes - pending.bytes.count
            if pending.bytes.isEmpty, rest.byteCount >= SnapshotTable.blockBytes {
                try write(block: rest.extracting(first: SnapshotTable.blockBytes))
                rest = rest.extracting(droppingFirst: SnapshotTable.blockBytes)
            } else {
                pending.append(rest.extracting(first: min(room, rest.byteCount)))
                rest = rest.extracting(droppingFirst: min(room, rest.byteCount))
                if pending.bytes.count == SnapshotTable.blockBytes { try flush() }
            }
        }
    }

    private func beginSection(_ id: UInt32) throws(SnapshotError) {
        precondition(!table.sections.contains { $0.id == id }, "a section is written in one go")
        precondition(table.sections.count < Int(SnapshotHeader.maxSections), "a snapshot has so many sections at most")
        try flush()
        table.sections.append(.init(id: id, offset: end))
    }

    private func flush() throws(SnapshotError) {
        guard !pending.bytes.isEmpty else { return }
        try pending.take { bytes throws(SnapshotError) in try write(block: bytes) }
    }

    private func write(block: RawSpan) throws(SnapshotError) {
        try file.write(block, at: end)
        end += UInt64(block.byteCount)
        table.sections[table.sections.count - 1].byteCount += UInt64(block.byteCount)
        table.sections[table.sections.count - 1].checksums.append(Checksum.of(block))
    }

    /// Ends the file, which may still be in the system's memory alone.
    package func close() throws(SnapshotError) {
        try flush()
        let bytes = table.encoded
        try file.write(unsafe bytes.span.bytes, at: end)
        header.sectionCount = UInt32(table.sections.count)
        header.tableOffset = end
        header.tableBytes = UInt64(bytes.count)
        header.tableChecksum = Checksum.of(unsafe bytes.span.bytes)
        let first = header.encoded
        try file.write(unsafe first.span.bytes, at: 0)
    }

    /// Brings the file to the disk and gives it its name. How long it is.
    package func putInPlace() throws(SnapshotError) -> Int {
        try file.synchronize()
        try SnapshotFile.rename("\(folder)/\(name)\(Self.temporarySuffix)", to: "\(folder)/\(name)")
        isInPlace = true
        try SnapshotFile.synchronize(folder: folder)
        return Int(header.fileBytes)
    }
}
