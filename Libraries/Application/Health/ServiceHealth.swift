/// The health of a program and of each of its services.
///
/// The program is healthy when its database is, and so is a service of it. What tells about the program itself serves as long as
/// that runs. The two Redis take no service down: without them calls are answered from the database.
struct ServiceHealth: Sendable {
    let program: HealthReporter
    private let services: [String: (needs: Needs, reporter: HealthReporter)]

    enum Needs: Sendable, Equatable {
        case nothing
        case database
    }

    init(program: HealthReporter, services: [(name: String, needs: Needs)]) {
        self.program = program
        self.services = Dictionary(services.map { ($0.name, ($0.needs, HealthReporter())) }) { first, _ in first }
    }

    var names: Set<String> { Set(services.keys) }

    /// Of the service, or with no name of the whole; `nil` if the program has no such service.
    func reporter(of name: String) -> HealthReporter? {
        name.isEmpty ? program : services[name]?.reporter
    }

    /// Tells each service's watchers what follows from the program's health.
    func update() {
        for (needs, reporter) in services.values {
            switch needs {
            case .nothing: reporter.report(.serving)
            case .database: reporter.report(program.status)
            }
        }
    }

    /// The program is going.
    func close() {
        program.close()
        for service in services.values { service.reporter.close() }
    }
}
