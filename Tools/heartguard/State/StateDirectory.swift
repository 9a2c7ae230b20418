internal import Foundation
internal import Glibc

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

    /// Others may pass through the top folder, since a store's user has its folder in it.
    static let passage = 0o711

    /// Makes the folders.
    func create(mode: Int = StateDirectory.passage) throws {
        try make(path, mode: mode)
        for (folder, mode) in [("supervisor", 0o700), ("secrets", 0o700), ("tls", 0o755), ("logs", 0o755)] {
            try make("\(path)/\(folder)", mode: mode)
        }
    }

    /// Makes one of them, or gives it its mode.
    func make(_ folder: String, mode: Int) throws {
        let files = FileManager.default
        do {
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let before = try files.attributesOfItem(atPath: folder)[.posixPermissions] as? Int ?? 0
            // Keys that the users of containers may read were nobody else's while the folder kept everybody out.
            if folder == path, before & 0o001 == 0, mode & 0o001 != 0 { try closeKeys() }
            try files.setAttributes([.posixPermissions: mode], ofItemAtPath: folder)
        } catch {
            throw CommandFailure("cannot make the state folder \(path): \(error.localizedDescription)")
        }
    }

    private func closeKeys() throws {
        let files = FileManager.default
        guard files.fileExists(atPath: tls("")) else { return }
        for file in try files.contentsOfDirectory(atPath: tls("")) where file.hasSuffix(".key") {
            try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: tls(file))
        }
    }

    var exists: Bool { FileManager.default.fileExists(atPath: "\(path)/supervisor") }

    /// Replaces a file at once: a reader sees the old content or the new, after a power cut too.
    func write(_ value: some Encodable, to file: String, mode: mode_t = 0o644) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try write(encoder.encode(value) + Data("\n".utf8), to: file, mode: mode)
    }

    func write(_ data: Data, to file: String, mode: mode_t = 0o644) throws { try write(data, to: file, mode: mode, owner: .ourselves) }

    /// - Parameter owner: whose the file is from its beginning.
    func write(_ data: Data, to file: String, mode: mode_t, owner: StoreUser) throws {
        let temporary = "\(file).new"
        guard unsafe unlink(temporary) == 0 || errno == ENOENT else { throw CommandFailure("cannot write \(file)", errno: errno) }
        // It has its mode from the beginning: who could open it for a moment would read all that is written later.
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw CommandFailure("cannot write \(file)", errno: errno) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            // The umask may have taken more away than was meant.
            guard fchmod(descriptor, mode) == 0 else { throw CommandFailure("cannot write \(file)", errno: errno) }
            try owner.own(descriptor, of: file)
            try handle.write(contentsOf: data)
            try handle.synchronize()
            try handle.close()
            guard unsafe rename(temporary, file) == 0 else { throw CommandFailure("cannot replace \(file)", errno: errno) }
        } catch {
            unsafe unlink(temporary)
            throw error as? CommandFailure ?? CommandFailure("cannot write \(file): \(error.localizedDescription)")
        }
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
