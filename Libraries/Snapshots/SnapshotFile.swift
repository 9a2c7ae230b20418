internal import Glibc

/// Owns the descriptor of an open file. What the calls of POSIX answer becomes an error here.
struct SnapshotFile: ~Copyable, Sendable {
    private let descriptor: Int32

    /// - Returns: `nil` if there is no such file.
    /// - Throws: `.file`.
    static func open(_ path: String) throws(SnapshotError) -> SnapshotFile? {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT { return nil }
        return SnapshotFile(descriptor: try checked(descriptor, "opened"))
    }

    /// A new file in the place of one that may be there, for its owner alone.
    static func create(_ path: String) throws(SnapshotError) -> SnapshotFile {
        let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        return SnapshotFile(descriptor: try checked(descriptor, "made"))
    }

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { _ = close(descriptor) }

    var byteCount: UInt64 {
        get throws(SnapshotError) {
            var status = stat()
            try Self.check(unsafe fstat(descriptor, &status) == 0, "asked for its length")
            return UInt64(status.st_size)
        }
    }

    /// - Throws: `.damaged` if the file ends before; `.file`.
    func read(_ bytes: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SnapshotError) {
        var done = 0
        while done < bytes.count {
            guard let start = bytes.baseAddress else { return }
            let count = unsafe pread(descriptor, start + done, bytes.count - done, off_t(offset) + off_t(done))
            if count < 0, errno == EINTR { continue }
            try Self.check(count >= 0, "read")
            guard count > 0 else { throw SnapshotError(.damaged, "The snapshot is shorter than it was.") }
            done += count
        }
    }

    func read(_ count: Int, at offset: UInt64) throws(SnapshotError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        var place = unsafe span.mutableBytes
        try unsafe place.withUnsafeMutableBytes { buffer throws(SnapshotError) in try unsafe read(buffer, at: offset) }
        return bytes
    }

    /// - Throws: `.diskFull`, `.file`.
    func write(_ bytes: RawSpan, at offset: UInt64) throws(SnapshotError) {
        try unsafe bytes.withUnsafeBytes { buffer throws(SnapshotError) in
            var done = 0
            while done < buffer.count {
                guard let start = buffer.baseAddress else { return }
                let count = unsafe pwrite(descriptor, start + done, buffer.count - done, off_t(offset) + off_t(done))
                if count < 0, errno == EINTR { continue }
                try Self.check(count > 0, "written")
                done += count
            }
        }
    }

    /// Returns once everything is on the disk.
    func synchronize() throws(SnapshotError) { try Self.check(fsync(descriptor) == 0, "brought to the disk") }

    /// Asks for the lock on the file, which goes with the process at the latest.
    ///
    /// - Returns: whether nobody else has it.
    func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    // MARK: - Names

    static func rename(_ source: String, to target: String) throws(SnapshotError) {
        try check(unsafe Glibc.rename(source, target) == 0, "given its name")
    }

    /// A file that is not there is removed already.
    static func remove(_ path: String) throws(SnapshotError) {
        try check(unsafe unlink(path) == 0 || errno == ENOENT, "removed")
    }

    /// Brings the names in a folder to the disk.
    static func synchronize(folder: String) throws(SnapshotError) {
        let folder = SnapshotFile(
            descriptor: try checked(unsafe Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "opened"))
        try folder.synchronize()
    }

    private static func checked(_ descriptor: Int32, _ deed: String) throws(SnapshotError) -> Int32 {
        try check(descriptor >= 0, deed)
        return descriptor
    }

    private static func check(_ isDone: Bool, _ deed: String) throws(SnapshotError) {
        if isDone { return }
        let number = errno
        guard number != ENOSPC, number != EDQUOT else { throw SnapshotError(.diskFull, "There is no room on the disk.") }
        throw SnapshotError(.file, "A snapshot could not be \(deed): \(unsafe String(cString: strerror(number))).")
    }
}
