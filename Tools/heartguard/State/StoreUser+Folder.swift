// For the compiler glibc's `stat` is of this module wherever Foundation is imported (Swift 6.3).
internal import CoreFoundation
internal import Foundation
internal import Glibc

extension StoreUser {
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
                guard unsafe symlink(path, place) == 0 else { throw CommandFailure("cannot make the link \(place) to \(path)", errno: errno) }
            }
            let parent = URL(filePath: path).deletingLastPathComponent()
            try Self.makePassage(parent.deletingLastPathComponent().path)
            try Self.makePassage(parent.path)
        }
        try make(path)
        return path
    }

    /// Makes a store's folder, or takes it from where a kill has left it: there, and not this user's yet.
    private func make(_ path: String) throws(CommandFailure) {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw CommandFailure("cannot make \(path)", errno: errno) }
        guard case .other(_, let uid, let gid) = self else { return }
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { throw CommandFailure("cannot look at \(path)", errno: errno) }
        // What is somebody else's already stays so: it may be another store's user, with all that is in the folder.
        guard status.st_uid == geteuid() else { return }
        guard unsafe lchown(path, uid, gid) == 0 else { throw CommandFailure("cannot give \(path) to the stores' user", errno: errno) }
    }

    /// Makes a folder through which anybody may pass, whatever the umask.
    private static func makePassage(_ path: String) throws(CommandFailure) {
        guard unsafe mkdir(path, 0o711) == 0 || errno == EEXIST else { throw CommandFailure("cannot make \(path)", errno: errno) }
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { throw CommandFailure("cannot look at \(path)", errno: errno) }
        guard status.st_mode & 0o001 == 0 else { return }
        guard unsafe chmod(path, status.st_mode & 0o7777 | 0o011) == 0 else { throw CommandFailure("cannot let anybody pass through \(path)", errno: errno) }
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
