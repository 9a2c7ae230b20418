internal import Foundation

/// Where everything of one cluster is kept. docs/operations.md has the table of this folder.
struct StateDirectory: Equatable, Sendable {
    let path: String

    init(_ path: String) {
        self.path = URL(filePath: path).standardizedFileURL.path.replacing(/\/+$/, with: "")
    }

    var upLock: String { "\(path)/up.lock" }
    var supervisorLock: String { "\(path)/supervisor/lock" }
    var plan: String { "\(path)/supervisor/plan.json" }
    var report: String { "\(path)/supervisor/processes.json" }
    var cluster: String { "\(path)/cluster.json" }
    var credentials: String { "\(path)/credentials.json" }
    var ports: String { "\(path)/ports.json" }
    var loaded: String { "\(path)/loaded.json" }
    var publicKeys: String { "\(path)/token-jwks.json" }
    var certificateAuthority: String { "\(path)/tls/ca.crt" }

    /// What Vectors keeps of its indexes; it makes the folder itself.
    var vectorSnapshots: String { "\(path)/vectors-snapshots" }

    func log(_ name: String) -> String { "\(path)/logs/\(name).log" }
    func secret(_ name: String) -> String { "\(path)/secrets/\(name)" }
    func tls(_ file: String) -> String { "\(path)/tls/\(file)" }

    /// Makes the folders. Others may pass through the top one, since a store's user has its folder in it; the rest is ours.
    func create() throws {
        let files = FileManager.default
        do {
            try files.createDirectory(atPath: path, withIntermediateDirectories: true)
            try files.setAttributes([.posixPermissions: 0o711], ofItemAtPath: path)
            for (folder, mode) in [("supervisor", 0o700), ("secrets", 0o700), ("tls", 0o755), ("logs", 0o755)] {
                try files.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
                try files.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(path)/\(folder)")
            }
        } catch {
            throw CommandFailure("cannot make the state folder \(path): \(error.localizedDescription)")
        }
    }

    var exists: Bool { FileManager.default.fileExists(atPath: "\(path)/supervisor") }

    /// Replaces a file at once: a reader sees the old content or the new, after a power cut too.
    func write(_ value: some Encodable, to file: String, mode: Int = 0o644) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try write(encoder.encode(value) + Data("\n".utf8), to: file, mode: mode)
    }

    func write(_ data: Data, to file: String, mode: Int = 0o644) throws {
        let temporary = "\(file).new"
        if FileManager.default.fileExists(atPath: temporary) { try FileManager.default.removeItem(atPath: temporary) }
        guard FileManager.default.createFile(atPath: temporary, contents: nil, attributes: [.posixPermissions: mode]) else {
            throw CommandFailure("cannot write \(file). Is the disk full?")
        }
        let handle = try FileHandle(forWritingTo: URL(filePath: temporary))
        do {
            try handle.write(contentsOf: data)
            try handle.synchronize()
            try handle.close()
        } catch {
            throw CommandFailure("cannot write \(file): \(error.localizedDescription)")
        }
        guard unsafe rename(temporary, file) == 0 else { throw CommandFailure("cannot replace \(file)", errno: errno) }
    }

    /// Nil when there is no such file.
    func read<Value: Decodable>(_ type: Value.Type, from file: String) throws -> Value? {
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        do {
            return try JSONDecoder().decode(type, from: Data(contentsOf: URL(filePath: file)))
        } catch {
            throw CommandFailure("\(file) cannot be read: \(error)")
        }
    }
}
