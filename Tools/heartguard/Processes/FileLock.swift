// For the compiler glibc's `stat` is of this module wherever Foundation is imported (Swift 6.3).
internal import CoreFoundation
internal import Glibc

/// A POSIX record lock on a file, held until the value or its process ends, however it ends. The kernel knows who
/// holds it, so no process id is ever read from a file that a crash could have left behind.
struct FileLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the lock, or throws `Held` with the holder's process id.
    init(path: String) throws { descriptor = try Self.locked(path) }

    deinit { close(descriptor) }

    /// The process that holds the lock of this file, if one does. Throws when it may not be asked about: that nobody holds it is not known then.
    ///
    /// A process that asks about a lock of its own lets it go by that, as POSIX has it.
    static func holder(path: String) throws(CommandFailure) -> pid_t? {
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw CommandFailure("cannot open the lock file \(path)", errno: errno) }
            return nil
        }
        defer { close(descriptor) }
        var question = wholeFile()
        guard unsafe fcntl(descriptor, F_GETLK, &question) == 0 else { throw CommandFailure("cannot ask about the lock of \(path)", errno: errno) }
        return question.l_type == Int16(F_UNLCK) ? nil : question.l_pid
    }

    /// Somebody else has the lock.
    struct Held: Error {
        let by: pid_t
    }

    private static func locked(_ path: String) throws -> Int32 {
        while true {
            let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw CommandFailure("cannot open the lock file \(path)", errno: errno) }
            var request = wholeFile()
            if unsafe fcntl(descriptor, F_SETLK, &request) == 0 {
                // Whoever had it may have removed the file meanwhile: the lock of a file that nobody finds keeps nobody out.
                if isStill(descriptor, at: path) { return descriptor }
                close(descriptor)
            } else {
                let code = errno
                close(descriptor)
                guard code == EAGAIN || code == EACCES else { throw CommandFailure("cannot lock \(path)", errno: code) }
                // Nobody, if it was let go in between: then it is to be had.
                if let other = try Self.holder(path: path) { throw Held(by: other) }
            }
        }
    }

    private static func isStill(_ descriptor: Int32, at path: String) -> Bool {
        var own = stat()
        var named = stat()
        guard unsafe fstat(descriptor, &own) == 0, unsafe lstat(path, &named) == 0 else { return false }
        return own.st_dev == named.st_dev && own.st_ino == named.st_ino
    }

    private static func wholeFile() -> flock {
        var range = flock()
        range.l_type = Int16(F_WRLCK)
        range.l_whence = Int16(SEEK_SET)
        return range
    }
}
