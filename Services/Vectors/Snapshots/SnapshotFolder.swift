internal import Foundation
internal import Snapshots
internal import Synchronization
internal import Time

/// The folder of one replica's snapshots: a file for each collection, which is named by the collection's id. A replica holds the lock of
/// its folder for as long as it writes there.
final class SnapshotFolder: Sendable {
    let path: String
    private let lock = Mutex<SnapshotLock?>(nil)

    private static let suffix = ".snapshot"
    /// What is left free on the disk, which is not ours alone.
    static let reserveBytes = 64 << 20

    init(_ path: String) { self.path = path }

    static func name(of collection: UUID) -> String { "\(collection.text)\(suffix)" }
    func file(of collection: UUID) -> String { "\(path)/\(Self.name(of: collection))" }

    /// Makes the folder if it is not there, and keeps other processes from writing to it from now on.
    ///
    /// - Throws: `.file` if it cannot be written to, or another process does.
    func take() throws(SnapshotError) {
        try lock.withLock { lock throws(SnapshotError) in
            guard lock == nil else { return }
            do {
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw SnapshotError(.file, "The folder of the snapshots cannot be made.")
            }
            lock = try SnapshotLock("\(path)/lock")
        }
    }

    /// - Throws: `.diskFull` if so many bytes would leave too little room.
    func requireRoom(for bytes: Int) throws(SnapshotError) {
        // Where the system does not say how much there is, writing shows it.
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path)
        guard let free = (attributes?[.systemFreeSize] as? NSNumber)?.intValue else { return }
        guard free - Self.reserveBytes >= bytes else { throw SnapshotError(.diskFull, "There is no room on the disk.") }
    }

    /// - Throws: `.file`, as well if another process writes to the folder.
    func remove(_ collection: UUID) throws(SnapshotError) {
        try take()
        try SnapshotWriter.remove(file(of: collection))
    }

    /// Removes the snapshots of all other collections, and what a writer that was killed has left.
    ///
    /// - Returns: how many were removed.
    func removeAll(except collections: Set<UUID>) throws(SnapshotError) -> Int {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw SnapshotError(.file, "The folder of the snapshots cannot be read.")
        }
        var removed = 0
        for name in names {
            let isLeft = name.hasSuffix(Self.suffix + SnapshotWriter.temporarySuffix)
            let isForeign = name.hasSuffix(Self.suffix) && !collections.contains { Self.name(of: $0) == name }
            guard isLeft || isForeign else { continue }
            try SnapshotWriter.remove("\(path)/\(name)")
            removed += 1
        }
        return removed
    }
}
