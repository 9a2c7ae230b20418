internal import ArgumentParser
internal import BenchmarkSupport
internal import ConnectionPool
internal import Postgres
internal import Time

/// Copies vitals in one transaction, and says how long that took.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "load", abstract: "Loads rows in one transaction.")

    @OptionGroup var server: ServerOptions

    @Option(help: "How many rows.")
    var rows = 200_000

    @Option(help: "The first row's number.")
    var from = 1

    @Option(help: "Persons that the rows are shared out to.")
    var users = 10_000

    @Flag(help: "Sort the rows by person, metric and time first, as the index has them.")
    var ordered = false

    func run() async throws {
        try await server.withPostgres(connections: 1) { postgres in
            let start = ContinuousClock.now
            let processTime = ProcessTime.now
            let target = TableColumns("vitals", columns: ["id", "user_id", "metric", "value", "taken_at"])
            var numbers = Array(from..<from + rows)
            if ordered { LoadCommand.order(&numbers, users: users) }
            let loaded = try await postgres.copy(numbers, into: target) { [users] row, number in
                row.append(number)
                row.append(number % users)
                row.append(Vital.metrics[number / users % Vital.metrics.count])
                row.append(Double(number * 7919 % 1000) / 10)
                row.append(Instant(microsecondsSinceEpoch: 1_767_225_600_000_000 + Int64(number) * 1_000_000))
            }
            guard loaded == rows else { throw Unexpected(what: "\(loaded) rows of \(rows) were loaded") }
            let spent = (ProcessTime.now - processTime) / .microseconds(1)
            let elapsed = (ContinuousClock.now - start) / .seconds(1)
            print("{\"rows\": \(loaded), \"seconds\": \(elapsed), \"cpu_us_per_row\": \(spent / Double(loaded))}")
        }
    }

    /// Puts rows where the index by person, metric and time has them.
    private static func order(_ numbers: inout [Int], users: Int) {
        let ranks = Vital.metrics.map { name in Vital.metrics.count { $0 < name } }
        let places = numbers.map { number in
            (place: number % users * ranks.count + ranks[number / users % ranks.count], number: number)
        }
        numbers = places.sorted { ($0.place, $0.number) < ($1.place, $1.number) }.map(\.number)
    }
}
