internal import RPC

/// The health of a program and of each of its services.
///
/// The program is healthy when its database is. So is a service of it, unless all of its methods need a token and the durable Redis,
/// without which no token is believed, cannot be asked. What tells about the program itself serves as long as that runs.
struct ServiceHealth: Sendable {
    let program: HealthReporter
    private let services: [String: (needs: Needs, reporter: HealthReporter)]

    enum Needs: Sendable, Equatable {
        case nothing
        case database
        case databaseAndTokens
    }

    init(program: HealthReporter, services: [String: Needs]) {
        self.program = program
        self.services = services.mapValues { ($0, HealthReporter()) }
    }

    /// What a service with these methods needs.
    static func needs(of methods: [MethodDescriptor]) -> Needs {
        let takesTokens = methods.allSatisfy { $0.policy.access == .user || $0.policy.access == .operator_ }
        return takesTokens && !methods.isEmpty ? .databaseAndTokens : .database
    }

    var names: Set<String> { Set(services.keys) }

    /// Of the service, or with no name of the whole; `nil` if the program has no such service.
    func reporter(of name: String) -> HealthReporter? {
        name.isEmpty ? program : services[name]?.reporter
    }

    /// Tells each service's watchers what follows from the program's health and that of the durable Redis.
    func update(problemOfTokens: String?) {
        for (needs, reporter) in services.values {
            switch (needs, problemOfTokens) {
            case (.nothing, _): reporter.report(.serving)
            case (.databaseAndTokens, let problem?) where program.status == .serving:
                reporter.report(.notServing(reason: "No token can be checked. \(problem)"))
            default: reporter.report(program.status)
            }
        }
    }

    /// The program is going.
    func close() {
        program.close()
        for service in services.values { service.reporter.close() }
    }
}
