internal import Logging
internal import Postgres

/// The database that is migrated: of a state folder, or as the environment has it.
struct MigrationTarget: Sendable {
    private let host: String
    /// One, or one for each host.
    private let ports: [Int]
    /// What the environment says of which host will do; nil for nothing.
    private let role: PostgresConfiguration.Role?
    private let database: String
    private let owner: Credentials.Role
    private let tls: PostgresConfiguration.TLS
    private let clientCertificate: PostgresConfiguration.ClientCertificate?
    private let superuser: Credentials.Role?
    private let services: [Credentials.Role]

    /// That of a state folder, whose store listens on one of these ports.
    init(of directory: StateDirectory, ports: Ports) throws {
        let credentials = try Credentials.current(in: directory)
        guard let owner = credentials.postgres["owner"] else { throw CommandFailure("\(directory.credentials) lacks the owner role.") }
        host = "127.0.0.1"
        self.ports = [ports[.postgres]]
        role = nil
        database = PostgresServer.database
        self.owner = owner
        tls = .disabled
        clientCertificate = nil
        superuser = credentials.postgres["superuser"]
        services = ServiceName.owners.compactMap { credentials.postgres[$0.rawValue] }
    }

    init(environment: [String: String], directory: StateDirectory) throws {
        guard let host = environment.given("HEARTGUARD_POSTGRES_HOST") else {
            guard let ports = try directory.read(Ports.self, from: directory.ports) else {
                throw CommandFailure("no cluster was ever started in \(directory.path), and HEARTGUARD_POSTGRES_HOST is not set.")
            }
            self = try MigrationTarget(of: directory, ports: ports)
            return
        }
        self.host = host
        ports = try Self.ports(of: host, environment)
        role = try Self.role(environment)
        let authority = try environment.path(ofFile: "HEARTGUARD_POSTGRES_CA_FILE")
        guard let tls = PostgresConfiguration.TLS(sslmode: environment.given("HEARTGUARD_POSTGRES_SSLMODE"), rootCertificate: authority) else {
            throw CommandFailure(
                PostgresConfiguration.TLS.refusal(sslmode: "HEARTGUARD_POSTGRES_SSLMODE", rootCertificate: "HEARTGUARD_POSTGRES_CA_FILE"))
        }
        self.tls = tls
        let certificate = try Self.clientCertificate(environment, tls)
        clientCertificate = certificate
        // libpq would take the user's name for that of a database without one.
        database = environment.given("HEARTGUARD_POSTGRES_DATABASE") ?? PostgresServer.database
        owner = Credentials.Role(
            user: environment.given("HEARTGUARD_POSTGRES_USER") ?? "heartguard_owner",
            // libpq takes an empty one for none.
            password: try certificate != nil && environment.given("HEARTGUARD_POSTGRES_PASSWORD_FILE") == nil
                ? "" : environment.secret("HEARTGUARD_POSTGRES_PASSWORD_FILE"))
        superuser = try environment["HEARTGUARD_POSTGRES_SUPERUSER_PASSWORD_FILE"].map { _ in
            Credentials.Role(user: "postgres", password: try environment.secret("HEARTGUARD_POSTGRES_SUPERUSER_PASSWORD_FILE"))
        }
        services = try ServiceName.owners.compactMap { service in
            let variable = "HEARTGUARD_POSTGRES_\(service.rawValue.uppercased())_PASSWORD_FILE"
            guard environment[variable] != nil else { return nil }
            return Credentials.Role(user: "heartguard_\(service.rawValue)", password: try environment.secret(variable))
        }
    }

    private static func ports(of host: String, _ environment: [String: String]) throws(CommandFailure) -> [Int] {
        guard let text = environment.given("HEARTGUARD_POSTGRES_PORT"), text.contains(",") else {
            return [try Ports.port("HEARTGUARD_POSTGRES_PORT", in: environment, else: 5432)]
        }
        guard let ports = PostgresConfiguration.ports(text, of: host) else {
            throw CommandFailure(PostgresConfiguration.refusal(ports: "HEARTGUARD_POSTGRES_PORT", host: "HEARTGUARD_POSTGRES_HOST"))
        }
        return ports
    }

    private static func role(_ environment: [String: String]) throws(CommandFailure) -> PostgresConfiguration.Role? {
        let variable = "HEARTGUARD_POSTGRES_TARGET_SESSION_ATTRS"
        let roles = PostgresConfiguration.Role.ofWriters
        guard let name = environment.given(variable) else { return nil }
        guard let role = roles.first(where: { $0.rawValue == name }) else {
            throw CommandFailure(PostgresConfiguration.Role.refusal(variable, roles))
        }
        return role
    }

    private static func clientCertificate(
        _ environment: [String: String], _ tls: PostgresConfiguration.TLS
    ) throws -> PostgresConfiguration.ClientCertificate? {
        let certificate = try environment.path(ofFile: "HEARTGUARD_POSTGRES_CERT_FILE")
        let key = try environment.path(ofFile: "HEARTGUARD_POSTGRES_KEY_FILE")
        guard certificate != nil || key != nil else { return nil }
        guard let both = PostgresConfiguration.ClientCertificate(certificate: certificate, key: key, tls: tls) else {
            throw CommandFailure(
                PostgresConfiguration.ClientCertificate.refusal(
                    certificate: "HEARTGUARD_POSTGRES_CERT_FILE", key: "HEARTGUARD_POSTGRES_KEY_FILE"))
        }
        return both
    }

    func bootstrap() throws -> DatabaseBootstrap {
        guard let superuser, services.count == ServiceName.owners.count else {
            throw CommandFailure("making the roles takes HEARTGUARD_POSTGRES_SUPERUSER_PASSWORD_FILE and one password file for each service that owns tables (HEARTGUARD_POSTGRES_USERS_PASSWORD_FILE and so on).")
        }
        return DatabaseBootstrap(
            host: host, ports: ports, tls: tls, clientCertificate: clientCertificate, superuser: superuser, owner: owner, services: services,
            database: database)
    }

    /// How the owner's role connects.
    func configuration(as program: String) -> PostgresConfiguration {
        var configuration = PostgresConfiguration(
            host: host, port: ports[0], database: database, user: owner.user, password: owner.password, tls: tls, applicationName: program)
        configuration.ports = ports
        if let role { configuration.role = role }
        configuration.clientCertificate = clientCertificate
        return configuration
    }

    /// Lends a client of the owner's.
    func connected<Value>(as program: String, _ body: (Postgres) async throws -> Value) async throws -> Value {
        let postgres = Postgres(configuration: configuration(as: program), logger: .silent)
        async let _: Void = postgres.run()
        // Leaving the scope cancels the pool and waits until it has drained.
        return try await body(postgres)
    }
}
