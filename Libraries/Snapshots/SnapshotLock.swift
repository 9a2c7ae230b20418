/// A folder's lock, held for as long as this lives and gone with the process at the latest.
package final class SnapshotLock: Sendable {
    private let file: SnapshotFile

    /// - Throws: `.file` if another process has it.
    package init(_ path: String) throws(SnapshotError) {
        file = try SnapshotFile.create(path)
        guard file.lock() else { throw SnapshotError(.file, "Another process writes snapshots to the same folder.") }
    }
}
