internal import Glibc

/// Starts programs. A child has no terminal, no descriptor of ours and the default signals; its output goes to a file.
enum ChildProcess {
    /// POSIX_SPAWN_SETSID of spawn.h, which shows it only to programs that ask for GNU's extensions.
    private static let setSession: Int32 = 0x80

    /// Keeps the descriptors that this program was itself given (make's job server, a test's pipes) from its children.
    static func keepDescriptors() {
        for descriptor in Int32(3)..<256 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }

    /// Starts a program and returns its process id. Throws when there is no such program or its log cannot be opened.
    static func spawn(
        _ executable: String,
        _ arguments: [String],
        environment: [String],
        input: String = "/dev/null",
        output: String,
        ownSession: Bool = false
    ) throws(CommandFailure) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o640)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        let group = ownSession ? setSession : Int32(POSIX_SPAWN_SETPGROUP)
        unsafe posix_spawnattr_setflags(&attributes, Int16(Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | group))

        let argumentVector = CStringVector([executable] + arguments)
        let environmentVector = CStringVector(environment)
        var pid: pid_t = 0
        let code = unsafe posix_spawn(&pid, executable, &actions, &attributes, argumentVector.pointer, environmentVector.pointer)
        guard code == 0 else { throw CommandFailure("cannot start \(executable)", errno: code) }
        return pid
    }

    /// Replaces this program by another one. Returns only by throwing.
    static func become(_ executable: String, _ arguments: [String]) throws(CommandFailure) {
        let vector = CStringVector([executable] + arguments)
        // The thread that we are on keeps signals to others, and the program would have them blocked: nobody could end it from a terminal.
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
        unsafe execv(executable, vector.pointer)
        throw CommandFailure("cannot start \(executable)", errno: errno)
    }

    /// Collects one child that has ended, without waiting for one.
    static func reap() -> (pid: pid_t, exit: ExitReason)? {
        var status: Int32 = 0
        let pid = unsafe waitpid(-1, &status, WNOHANG)
        return pid > 0 ? (pid, ExitReason(waitStatus: status)) : nil
    }

    /// Waits until this child has ended.
    static func wait(_ pid: pid_t) -> ExitReason {
        var status: Int32 = 0
        while unsafe waitpid(pid, &status, 0) == -1, errno == EINTR {}
        return ExitReason(waitStatus: status)
    }
}

/// How a process ended.
enum ExitReason: Equatable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)

    /// Reads what waitpid(2) reports: the low seven bits hold the signal, the next byte the code.
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited((waitStatus >> 8) & 0xff) : .signalled(signal)
    }

    var description: String {
        switch self {
        case .exited(let code): "ended with code \(code)"
        case .signalled(let signal): "was ended by signal \(signal)"
        }
    }
}

/// A null-terminated array of C strings, as exec(3) takes it.
@safe
private struct CStringVector: ~Copyable {
    let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        unsafe pointer = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() { unsafe (pointer + index).initialize(to: strdup(string)) }
        unsafe (pointer + count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { unsafe free(pointer[index]) }
        unsafe pointer.deallocate()
    }
}
