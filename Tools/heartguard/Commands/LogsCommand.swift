internal import ArgumentParser
internal import Foundation
internal import Glibc

struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Shows the end of the logs: of one process, or of all of them.")

    @OptionGroup var options: StateOptions

    @Argument(help: "users, vitals, chat, vectors, gateway, postgres, redis-durable, redis-cache or supervisor.")
    var name: String?

    @Option(name: [.customShort("n"), .long], help: "How many lines of each.")
    var lines = 20

    @Flag(name: .shortAndLong, help: "Go on showing what is added.")
    var follow = false

    func validate() throws {
        guard lines >= 0 else { throw ValidationError("--lines is not negative.") }
    }

    func run() throws {
        let folder = "\(options.directory.path)/logs"
        let known = ServiceName.allCases.map(\.rawValue) + ["postgres", "redis-durable", "redis-cache", "supervisor"]
        if let name, !known.contains(name) {
            throw CommandFailure("there is no log of \"\(name)\"; there are \(known.joined(separator: ", ")).")
        }
        let paths = (name.map { [$0] } ?? known).map { "\(folder)/\($0).log" }
            .filter { FileManager.default.fileExists(atPath: $0) }
        guard !paths.isEmpty else { throw CommandFailure("there is no log in \(folder) yet.") }
        // tail(1) follows files through rotation better than we would; it takes this process's place
        let arguments = ["-n", "\(lines)"] + (follow ? ["-F"] : []) + ["--"] + paths
        try ChildProcess.become("/usr/bin/tail", arguments)
    }
}
