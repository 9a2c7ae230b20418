internal import Glibc

/// Who the stores run as: ourselves, or for root an unprivileged user, since PostgreSQL refuses root and Redis needs none.
enum StoreUser: Equatable, Sendable {
    case ourselves
    case other(name: String, uid: UInt32, gid: UInt32)

    static func current() throws(CommandFailure) -> StoreUser {
        guard geteuid() == 0 else { return .ourselves }
        for name in ["postgres", "nobody"] {
            if let entry = unsafe getpwnam(name) { return unsafe .other(name: name, uid: entry.pointee.pw_uid, gid: entry.pointee.pw_gid) }
        }
        throw CommandFailure("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as.")
    }

    /// The command that runs a program as this user and sends it `deathSignal` should the supervisor be killed.
    /// setpriv(1) becomes the program, so the process id is the program's.
    func command(deathSignal: String, _ program: String, _ arguments: [String]) -> [String] {
        ["--pdeathsig", deathSignal] + identity + ["--", program] + arguments
    }

    /// setpriv's arguments that change the user.
    var identity: [String] {
        switch self {
        case .ourselves: []
        case .other(_, let uid, let gid): ["--reuid", "\(uid)", "--regid", "\(gid)", "--clear-groups"]
        }
    }

    /// Gives an open file to this user.
    func own(_ descriptor: Int32, of path: String) throws(CommandFailure) {
        guard case .other(_, let uid, let gid) = self else { return }
        guard fchown(descriptor, uid, gid) == 0 else { throw CommandFailure("cannot give \(path) to the stores' user", errno: errno) }
    }
}
