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
        // One that a kill has left may be open to others, and so may be a new one until it has its mode: it is made with it.
        guard unsafe unlink(partial.path) == 0 || errno == ENOENT else { throw CommandFailure("\(partial.path) cannot be written", errno: errno) }
        let descriptor = unsafe open(partial.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, isPrivate ? 0o600 : 0o666)
        guard descriptor >= 0 else { throw CommandFailure("\(partial.path) cannot be written", errno: errno) }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

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
            try handle.close()
        } catch {
            throw CommandFailure("\(partial.path) cannot be brought to the disk: \(error.localizedDescription)")
        }
        if replacing {
            // At no moment neither has the name; and a folder that is called so stays.
            guard unsafe rename(partial.path, file.path) == 0 else { throw CommandFailure("\(file.path) cannot be written", errno: errno) }
        } else {
            try FileManager.default.moveItem(at: partial, to: file)
        }
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
        _ = try? FileManager.default.removeItem(at: partial)  // What is left of it is not worth another failure.
    }
}
