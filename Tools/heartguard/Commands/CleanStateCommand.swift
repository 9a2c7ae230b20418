internal import ArgumentParser
internal import Foundation

struct CleanStateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clean-state", abstract: "Stops the cluster and throws away its databases, keys and logs.")

    @OptionGroup var options: StateOptions

    func run() throws {
        let directory = options.directory
        _ = try SupervisorHandle(directory: directory).stop()
        try directory.clear()
        print("Nothing is left of the cluster in \(directory.path).")
    }
}

extension StateDirectory {
    /// Removes everything of a cluster that does not run.
    func clear() throws {
        let files = FileManager.default
        for name in ["postgres", "redis-durable", "redis-cache"] {
            let place = "\(path)/\(name)"
            // a link, where the stores' user cannot enter the state folder; otherwise the folder itself
            if let target = try? files.destinationOfSymbolicLink(atPath: place) {
                try remove(target)
                let folder = URL(filePath: target).deletingLastPathComponent().path
                if try files.contentsOfDirectory(atPath: folder).isEmpty { try remove(folder) }
            }
            try remove(place)
        }
        let names = [
            "supervisor", "secrets", "tls", "logs", "vectors-snapshots", "cluster.json", "credentials.json", "ports.json", "loaded.json",
            "token-jwks.json", "up.lock",
        ]
        for name in names {
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
