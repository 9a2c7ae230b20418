internal import ArgumentParser
internal import BenchmarkSupport
internal import ConnectionPool
internal import Postgres
internal import Time

/// Adds vitals in one transaction, and says how long that took.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "load", abstract: "Loads rows in one transaction.")

    @OptionGroup var server: ServerOptions

    @Option(help: "How many rows.")
    var rows = 200_000

    @Option(help: "The first row's number.")
    var from = 1

    @Option(help: "Persons that the rows are shared out to.")
    var users = 10_000

    @Option(help: "Rows in one statement.")
    var batch = 5_000

    func run() async throws {
        try await server.withPostgres(connections: 1) { postgres in
            let start = ContinuousClock.now
            let processTime = ProcessTime.now
            let loaded = try await postgres.transaction(tier: .batch) { transaction in
                var loaded = 0
                for first in stride(from: from, to: from + rows, by: batch) {
                    let numbers = first..<min(first + batch, from + rows)
                    let metrics = numbers.map { Vital.metrics[$0 / users % Vital.metrics.count] }
                    let instants = numbers.map { Instant(microsecondsSinceEpoch: 1_767_225_600_000_000 + Int64($0) * 1_000_000) }
                    loaded += try await transaction.execute("""
                        INSERT INTO vitals (id, user_id, metric, value, taken_at)
                        SELECT * FROM unnest(\(Array(numbers)), \(numbers.map { $0 % users }), \(metrics),
                            \(numbers.map { Double($0 * 7919 % 1000) / 10 }), \(instants))
                        """)
                }
                return loaded
            }
            guard loaded == rows else { throw Unexpected(what: "\(loaded) rows of \(rows) were loaded") }
            let spent = (ProcessTime.now - processTime) / .microseconds(1)
            let elapsed = (ContinuousClock.now - start) / .seconds(1)
            print("{\"rows\": \(loaded), \"seconds\": \(elapsed), \"cpu_us_per_row\": \(spent / Double(loaded))}")
        }
    }
}
