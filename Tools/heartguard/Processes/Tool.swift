internal import Foundation
internal import Glibc

/// Runs one of the system's programs to its end: openssl, initdb, psql.
enum Tool {
    /// Returns what the program printed. Its input and output are files, so neither can block the other.
    /// Throws a sentence with the end of its output when it fails.
    @discardableResult
    static func run(
        _ name: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:]
    ) throws -> String {
        let executable = try path(of: name)
        let scratch = FileManager.default.temporaryDirectory.appending(path: "heartguard-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: scratch, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: scratch) }  // a scratch folder left behind harms nobody
        let output = scratch.appending(path: "output").path
        var inputPath = "/dev/null"
        if let input {
            inputPath = scratch.appending(path: "input").path
            try Data(input.utf8).write(to: URL(filePath: inputPath))
        }
        var merged = ["PATH": systemPath, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"]
        merged.merge(environment) { _, new in new }
        let pid = try ChildProcess.spawn(
            executable, arguments, environment: merged.map { "\($0)=\($1)" }, input: inputPath, output: output)
        // It is open there. What it says may be secret, and whoever kills this program now leaves nothing of it behind.
        if input != nil { unsafe unlink(inputPath) }
        let exit = ChildProcess.wait(pid)
        let printed = try String(decoding: Data(contentsOf: URL(filePath: output)), as: UTF8.self)
        guard exit == .exited(0) else {
            let tail = printed.split(separator: "\n").suffix(5).joined(separator: "\n  ")
            throw CommandFailure("\(name) \(exit):\n  \(tail)")
        }
        return printed
    }

    /// Where a program is: among PostgreSQL's, which Debian keeps apart, or on the system's path.
    static func path(of name: String) throws -> String {
        let folders = postgresFolders() + systemPath.split(separator: ":").map(String.init)
        for folder in folders where unsafe access("\(folder)/\(name)", X_OK) == 0 { return "\(folder)/\(name)" }
        throw CommandFailure("the program \(name) is not installed. `make setup` installs what is missing.")
    }

    /// PostgreSQL 15's programs first, then any other version's, newest first.
    private static func postgresFolders() -> [String] {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []  // not Debian: the path decides
        let ordered = versions.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }
        return (["15"] + ordered.filter { $0 != "15" }).map { "\(root)/\($0)/bin" }
    }

    private static let systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}
