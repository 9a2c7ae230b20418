/// What the supervisor says of its processes, in a file that it replaces after every change.
struct ProcessReport: Codable, Equatable, Sendable {
    struct Process: Codable, Equatable, Sendable {
        var name: String
        /// running, stopping or waiting.
        var state: String
        var pid: Int32?
        /// Unix time, in seconds.
        var startedAt: Double?
        var restarts: Int
        /// For example "was ended by signal 9".
        var lastExit: String?
        var logFile: String
        /// That of the plan which the process was started from.
        var build: String
    }

    var processes: [Process]

    subscript(name: String) -> Process? { processes.first { $0.name == name } }
}
