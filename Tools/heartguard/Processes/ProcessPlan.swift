/// One process that the supervisor keeps running.
struct ProcessPlan: Codable, Equatable, Sendable {
    var name: String
    var executable: String
    var arguments: [String] = []
    /// The whole environment, as NAME=value. Secrets are files; only their paths stand here.
    var environment: [String] = []
    var logFile: String
    /// Lower stages start first and stop last.
    var stage: Int
    var stopSignal: Int32
    /// How long it may take to stop before it is killed.
    var stopSeconds: Int
    /// Tells two builds of one program apart, and what it reads at its start alone, so that what is new replaces the running one.
    var build: String = ""
}

/// Everything that runs, in a file that the supervisor reads at its start and on SIGHUP.
struct SupervisorPlan: Codable, Equatable, Sendable {
    var processes: [ProcessPlan]
}
