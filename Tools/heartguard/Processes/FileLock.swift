internal import Glibc

/// A POSIX record lock on a file, held until the value or its process ends, however it ends. The kernel knows who
/// holds it, so no process id is ever read from a file that a crash could have left behind.
struct FileLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the lock, or throws `Held` with the holder's process id.
    init(path: String) throws {
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CommandFailure("cannot open the lock file \(path)", errno: errno) }
        var request = Self.wholeFile()
        guard unsafe fcntl(descriptor, F_SETLK, &request) == 0 else {
            let code = errno
            close(descriptor)
            guard code == EAGAIN || code == EACCES else { throw CommandFailure("cannot lock \(path)", errno: code) }
            throw Held(by: Self.holder(path: path) ?? 0)
        }
    }

    deinit { close(descriptor) }

    /// The process that holds the lock of this file, if one does.
    static func holder(path: String) -> pid_t? {
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var question = wholeFile()
        guard unsafe fcntl(descriptor, F_GETLK, &question) == 0, question.l_type != Int16(F_UNLCK) else { return nil }
        return question.l_pid
    }

    /// Somebody else has the lock.
    struct Held: Error {
        let by: pid_t
    }

    private static func wholeFile() -> flock {
        var range = flock()
        range.l_type = Int16(F_WRLCK)
        range.l_whence = Int16(SEEK_SET)
        return range
    }
}
