internal import ArgumentParser
internal import ConnectionPool
internal import Logging
internal import Postgres

/// What `make bench-postgres` measures of ours: reads and bulk loads by HeartGuard's client, through its pool.
@main
struct PostgresBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postgres-bench",
        abstract: "Reads and loads the benchmark's tables with HeartGuard's PostgreSQL client; prints one object of JSON.",
        subcommands: [ReadCommand.self, LoadCommand.self])
}

/// Where the benchmark's server is.
struct ServerOptions: ParsableArguments {
    @Option(help: "The server's port on 127.0.0.1.")
    var port: Int

    @Option(help: "The database.")
    var database: String

    @Option(help: "The role that connects.")
    var user: String

    /// Runs a pool of exactly so many connections while `body` uses it.
    func withPostgres<Value>(connections: Int, _ body: (Postgres) async throws -> Value) async throws -> Value {
        let configuration = PostgresConfiguration(
            host: "127.0.0.1", port: port, database: database, user: user, applicationName: "postgres-bench",
            pool: PoolConfiguration(minimumConnections: connections, maximumConnections: connections))
        let postgres = Postgres(configuration: configuration, logger: Logger(label: "postgres-bench"))
        async let _: Void = postgres.run()
        while postgres.statistics.idle < connections { try await Task.sleep(for: .milliseconds(5)) }
        return try await body(postgres)
    }
}
