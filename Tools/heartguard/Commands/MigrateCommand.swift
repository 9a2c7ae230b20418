internal import ArgumentParser
internal import Foundation
internal import Logging
internal import Postgres

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Applies, checks or takes back the chain of schema revisions, with the owner's role.",
        discussion: """
            The database is that of the state folder, or, where HEARTGUARD_POSTGRES_HOST is set, the one that
            HEARTGUARD_POSTGRES_HOST, _PORT, _DATABASE, _USER and _PASSWORD_FILE name.

            up applies what is missing; any number of them may run at once, and one that was killed is run again. verify also
            finds what was changed by hand. down takes back the newest revision, or all behind the one that --to names, and
            what those tables held with it.
            """)

    enum Action: String, ExpressibleByArgument, CaseIterable {
        case status, up, down, verify
    }

    @OptionGroup var options: StateOptions

    @Argument(help: "status, up, down or verify.")
    var action: Action

    @Option(name: .customLong("to"), help: "With down: the revision that stays, with all before it.")
    var survivor: String?

    @Flag(help: "With down: what the revisions' tables hold is lost, and that is wanted.")
    var discardData = false

    @Flag(help: "First make the roles and the database, with the superuser's password (HEARTGUARD_POSTGRES_SUPERUSER_PASSWORD_FILE).")
    var bootstrap = false

    func validate() throws {
        if action == .down, !discardData {
            throw ValidationError("down drops tables with what is in them. Say --discard-data if that is wanted.")
        }
        if action != .down, survivor != nil || discardData {
            throw ValidationError("--to and --discard-data belong to down.")
        }
    }

    func run() async throws {
        let target = try MigrationTarget(environment: options.environment, directory: options.directory)
        if bootstrap { try target.bootstrap().run() }
        let migration = SchemaMigration(host: target.host, port: target.port, database: target.database, owner: target.owner)
        switch action {
        case .status: for line in try await migration.status() { print(line) }
        case .up: print("The schema \(try await migration.up()).")
        case .down: print("The schema \(try await migration.down(to: survivor)).")
        case .verify: print(try await migration.verify())
        }
    }
}

/// The database that is migrated: of a state folder, or as the environment has it.
struct MigrationTarget: Sendable {
    let host: String
    let port: Int
    let database: String
    let owner: Credentials.Role
    private let superuser: Credentials.Role?
    private let services: [Credentials.Role]

    init(environment: [String: String], directory: StateDirectory) throws {
        guard let host = environment["HEARTGUARD_POSTGRES_HOST"], !host.isEmpty else {
            guard let ports = try directory.read(Ports.self, from: directory.ports) else {
                throw CommandFailure("no cluster was ever started in \(directory.path), and HEARTGUARD_POSTGRES_HOST is not set.")
            }
            let credentials = try Credentials.current(in: directory)
            guard let owner = credentials.postgres["owner"] else { throw CommandFailure("\(directory.credentials) lacks the owner role.") }
            self.host = "127.0.0.1"
            port = ports[.postgres]
            database = PostgresServer.database
            self.owner = owner
            superuser = credentials.postgres["superuser"]
            services = ServiceName.owners.compactMap { credentials.postgres[$0.rawValue] }
            return
        }
        self.host = host
        port = try Ports.port("HEARTGUARD_POSTGRES_PORT", in: environment, else: 5432)
        database = Self.given("HEARTGUARD_POSTGRES_DATABASE", environment) ?? PostgresServer.database
        owner = Credentials.Role(
            user: Self.given("HEARTGUARD_POSTGRES_USER", environment) ?? "heartguard_owner",
            password: try Self.secret("HEARTGUARD_POSTGRES_PASSWORD_FILE", environment))
        superuser = try environment["HEARTGUARD_POSTGRES_SUPERUSER_PASSWORD_FILE"].map { _ in
            Credentials.Role(user: "postgres", password: try Self.secret("HEARTGUARD_POSTGRES_SUPERUSER_PASSWORD_FILE", environment))
        }
        services = try ServiceName.owners.compactMap { service in
            let variable = "HEARTGUARD_POSTGRES_\(service.rawValue.uppercased())_PASSWORD_FILE"
            guard environment[variable] != nil else { return nil }
            return Credentials.Role(user: "heartguard_\(service.rawValue)", password: try Self.secret(variable, environment))
        }
    }

    func bootstrap() throws -> DatabaseBootstrap {
        guard let superuser, services.count == ServiceName.owners.count else {
            throw CommandFailure("making the roles takes HEARTGUARD_POSTGRES_SUPERUSER_PASSWORD_FILE and one password file for each service that owns tables (HEARTGUARD_POSTGRES_USERS_PASSWORD_FILE and so on).")
        }
        return DatabaseBootstrap(host: host, port: port, superuser: superuser, owner: owner, services: services, database: database)
    }

    /// Lends a client of the owner's.
    func connected<Value>(as program: String, _ body: (Postgres) async throws -> Value) async throws -> Value {
        let postgres = Postgres(
            configuration: PostgresConfiguration(
                host: host, port: port, database: database, user: owner.user, password: owner.password, applicationName: program),
            logger: .silent)
        async let _: Void = postgres.run()
        // Leaving the scope cancels the pool and waits until it has drained.
        return try await body(postgres)
    }

    /// An empty variable says nothing, here as for the host and the port: libpq would take the user's name for the database's.
    private static func given(_ variable: String, _ environment: [String: String]) -> String? {
        environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func secret(_ variable: String, _ environment: [String: String]) throws -> String {
        guard let path = environment[variable], let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure("\(variable) does not name a file that can be read.")
        }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
