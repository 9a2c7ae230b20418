internal import Dispatch
internal import Synchronization

/// A snapshot that is being read. Every byte is compared with its checksum when it has come, in the memory where it is going to be used:
/// what happens to the file later does not matter.
package final class SnapshotReader: Sendable {
    package let header: SnapshotHeader
    private let file: SnapshotFile
    private let table: SnapshotTable

    /// - Returns: `nil` if there is no file.
    /// - Throws: `.damaged`, `.otherFormat`, `.file`.
    package static func open(_ path: String) throws(SnapshotError) -> SnapshotReader? {
        guard let file = try SnapshotFile.open(path) else { return nil }
        return try SnapshotReader(file)
    }

    private init(_ file: consuming SnapshotFile) throws(SnapshotError) {
        let length = try file.byteCount
        guard length >= UInt64(SnapshotHeader.byteCount) else {
            throw SnapshotError(.damaged, "The snapshot has no whole header.")
        }
        let header = try SnapshotHeader(file.read(SnapshotHeader.byteCount, at: 0))
        guard header.fileBytes == length else {
            throw SnapshotError(.damaged, "The snapshot has \(length) bytes and not as many as were written.")
        }
        table = try SnapshotTable(file.read(Int(header.tableBytes), at: header.tableOffset), header)
        self.header = header
        self.file = file
    }

    package var byteCount: Int { Int(header.fileBytes) }

    /// How long a section is; 0 if there is none.
    package func byteCount(of section: UInt32) -> Int { Int(self[section]?.byteCount ?? 0) }

    private subscript(section: UInt32) -> SnapshotTable.Section? { table.sections.first { $0.id == section } }

    /// Reads a section into a place that is as long, its blocks on several threads.
    ///
    /// - Throws: `.damaged`, `.file`; the place's content is then anything.
    package func read(_ id: UInt32, into place: inout MutableRawSpan, threads: Int) throws(SnapshotError) {
        precondition(place.byteCount == byteCount(of: id), "a section is read into a place of its length")
        guard let section = self[id] else { return }
        let failure = Mutex<SnapshotError?>(nil)
        unsafe place.withUnsafeMutableBytes { bytes in
            let next = Atomic(0)
            // Each block is one thread's.
            nonisolated(unsafe) let bytes = unsafe bytes
            let count = section.checksums.count
            DispatchQueue.concurrentPerform(iterations: max(1, min(threads, count))) { _ in
                while true {
                    let block = next.add(1, ordering: .relaxed).oldValue
                    guard block < count, failure.withLock({ $0 == nil }) else { return }
                    let start = block * SnapshotTable.blockBytes
                    let end = min(start + SnapshotTable.blockBytes, Int(section.byteCount))
                    do throws(SnapshotError) {
                        try unsafe read(
                            UnsafeMutableRawBufferPointer(rebasing: bytes[start..<end]), of: section, block: block)
                    } catch {
                        failure.withLock { $0 = error }
                    }
                }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    package func read(_ id: UInt32, threads: Int = 1) throws(SnapshotError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount(of: id))
        var span = bytes.mutableSpan
        var place = unsafe span.mutableBytes
        try read(id, into: &place, threads: threads)
        return bytes
    }

    private func read(
        _ bytes: UnsafeMutableRawBufferPointer, of section: SnapshotTable.Section, block: Int
    ) throws(SnapshotError) {
        try unsafe file.read(bytes, at: section.offset + UInt64(block * SnapshotTable.blockBytes))
        guard Checksum.of(unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(bytes))) == section.checksums[block] else {
            throw SnapshotError(.damaged, "Section \(section.id) of the snapshot is damaged.")
        }
    }

    /// Reads everything and compares it with its checksums.
    package func verify(threads: Int) throws(SnapshotError) {
        for section in table.sections { _ = try read(section.id, threads: threads) }
    }
}
