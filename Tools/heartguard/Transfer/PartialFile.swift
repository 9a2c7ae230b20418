internal import Foundation
internal import Glibc

/// A file that has its name once it is whole.
struct PartialFile: Sendable {
    private let file: URL
    private let partial: URL
    private let handle: FileHandle
    private var buffer: [UInt8] = []

    /// - Parameter isPrivate: whether nobody else may read it.
    init(_ file: URL, isPrivate: Bool = false) throws {
        self.file = file
        partial = file.appendingPathExtension("partial")
        handle = try Self.opened(partial.path, mode: isPrivate ? 0o600 : 0o666)
    }

    /// A new file in the place of one that a kill has left, with its mode from the beginning: others could open it in a moment without. It is locked, so that
    /// nobody takes it for one that a kill has left.
    private static func opened(_ path: String, mode: mode_t) throws -> FileHandle {
        let left = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        if left >= 0 {
            defer { close(left) }
            guard !isSomebodyElses(left) else { throw CommandFailure("\(path) is being written by another command.") }
            guard unsafe unlink(path) == 0 else { throw CommandFailure("\(path) cannot be written", errno: errno) }
        } else if errno != ENOENT {
            throw CommandFailure("\(path) cannot be written", errno: errno)
        }
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw CommandFailure("\(path) cannot be written", errno: errno) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard !isSomebodyElses(descriptor) else { throw CommandFailure("\(path) is being written by another command.") }
        return handle
    }

    /// Takes the lock. On a file system that has none, everybody is the only one.
    private static func isSomebodyElses(_ descriptor: Int32) -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EAGAIN }

    mutating func write(_ bytes: [UInt8]) throws {
        buffer += bytes
        if buffer.count >= 64 << 10 { try flush() }
    }

    private mutating func flush() throws {
        do {
            try handle.write(contentsOf: buffer)
        } catch {
            throw CommandFailure("\(partial.path) cannot be written: \(error.localizedDescription)")
        }
        buffer = []
    }

    /// Writes other bytes over the first ones.
    mutating func replaceStart(by bytes: [UInt8]) throws {
        try flush()
        do {
            try handle.seek(toOffset: 0)
            try handle.write(contentsOf: bytes)
            try handle.seekToEnd()
        } catch {
            throw CommandFailure("\(partial.path) cannot be written: \(error.localizedDescription)")
        }
    }

    /// The file is on the disk, with its name, when this returns.
    mutating func finish(replacing: Bool = true) throws {
        try flush()
        do {
            try handle.synchronize()
        } catch {
            throw CommandFailure("\(partial.path) cannot be brought to the disk: \(error.localizedDescription)")
        }
        if replacing {
            // At no moment neither has the name; and a folder that is called so stays.
            guard unsafe rename(partial.path, file.path) == 0 else { throw CommandFailure("\(file.path) cannot be written", errno: errno) }
        } else {
            try FileManager.default.moveItem(at: partial, to: file)
        }
        // It was locked until it had its name.
        try? handle.close()
        try Self.synchronize(file.absoluteURL.deletingLastPathComponent())
    }

    /// Brings a file, or the names in a folder, to the disk.
    static func synchronize(_ place: URL) throws {
        let descriptor = unsafe open(place.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CommandFailure("cannot open \(place.path)", errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw CommandFailure("cannot bring \(place.path) to the disk", errno: errno) }
    }

    func remove() {
        // What is left of it is not worth another failure.
        _ = try? FileManager.default.removeItem(at: partial)
        try? handle.close()
    }
}
