internal import ArgumentParser
internal import Foundation

struct CleanStateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clean-state", abstract: "Stops the cluster and throws away its databases, keys and logs.",
        discussion: "Asks nothing. Waits for another command that is at work there, and for a while at most.")

    @OptionGroup var options: StateOptions

    func run() throws {
        let directory = options.directory
        // What has neither is no cluster's, whatever the names in it.
        guard directory.exists || FileManager.default.fileExists(atPath: directory.upLock) else {
            return print("There is no cluster in \(directory.path); nothing was removed.")
        }
        let lock = try directory.lock(waiting: SupervisorHandle.patience)
        _ = try SupervisorHandle(directory: directory).stop()
        try directory.clear()
        print("Nothing is left of the cluster in \(directory.path).")
        extendLifetime(lock)
    }
}

extension StateDirectory {
    /// Removes everything of a cluster that does not run. Last go what tells that there is one, so that after a kill it is gone on with, and the lock.
    func clear() throws {
        let files = FileManager.default
        for name in ["postgres", "redis-durable", "redis-cache"] {
            let place = "\(path)/\(name)"
            // a link, where the stores' user cannot enter the state folder; otherwise the folder itself
            if let target = try? files.destinationOfSymbolicLink(atPath: place) {
                try remove(target)
                let folder = URL(filePath: target).deletingLastPathComponent().path
                // Where there is no such folder, one who was killed here has removed it.
                if let others = try? files.contentsOfDirectory(atPath: folder), others.isEmpty { try remove(folder) }
            }
            try remove(place)
        }
        for name in ["cluster.json", "credentials.json", "ports.json", "loaded.json", "token-jwks.json"] {
            try remove("\(path)/\(name)")
            // What a kill has left of writing it, passwords too.
            try remove("\(path)/\(name).new")
        }
        for name in ["secrets", "tls", "logs", "vectors-snapshots", "supervisor", "up.lock"] {
            try remove("\(path)/\(name)")
        }
    }

    private func remove(_ path: String) throws {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch CocoaError.fileNoSuchFile {
            return
        } catch {
            throw CommandFailure("cannot remove \(path): \(error.localizedDescription)")
        }
    }
}
