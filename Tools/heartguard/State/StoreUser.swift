internal import Foundation
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

    func own(_ path: String) throws(CommandFailure) {
        guard case .other(_, let uid, let gid) = self else { return }
        guard unsafe chown(path, uid, gid) == 0 else { throw CommandFailure("cannot give \(path) to the stores' user", errno: errno) }
    }

    /// The folder of one store, made if it is not there: inside the state folder, unless the user of the stores cannot
    /// get there (a checkout below /root, say). Then it is below /var/lib/heartguard, with a link to it in its place.
    func folder(_ name: String, in directory: StateDirectory) throws -> String {
        let place = "\(directory.path)/\(name)"
        let files = FileManager.default
        var path = place
        if self != .ourselves, !Self.othersCanEnter(directory.path) {
            let key = directory.path.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
            path = "/var/lib/heartguard/\(String(key, radix: 16))/\(name)"
            if (try? files.destinationOfSymbolicLink(atPath: place)) != path {  // no link is there: make it
                try files.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
                try files.createSymbolicLink(atPath: place, withDestinationPath: path)
            }
        }
        if !files.fileExists(atPath: path) {
            try files.createDirectory(atPath: path, withIntermediateDirectories: true)
            try files.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
            try own(path)
        }
        return path
    }

    /// Whether every folder on the way lets anybody pass.
    private static func othersCanEnter(_ path: String) -> Bool {
        var folder = URL(filePath: path).resolvingSymlinksInPath()
        while folder.path != "/" {
            let mode = try? FileManager.default.attributesOfItem(atPath: folder.path)[.posixPermissions] as? Int
            guard let mode, mode & 0o001 != 0 else { return false }  // what cannot be looked at cannot be entered
            folder.deleteLastPathComponent()
        }
        return true
    }
}
