internal import ConnectionPool
internal import Postgres

/// Where a service's records are, as its environment says.
struct PostgresSettings {
    let primary: PostgresConfiguration
    /// Where reads go that may lag; nil where all go to the primary.
    let replicas: PostgresConfiguration?

    /// What is wrong is reported by `settings.finish()`.
    init(service: String, from settings: inout Settings) {
        let host = settings.string("HEARTGUARD_POSTGRES_HOST")
        let ports = Self.ports(of: host, &settings)
        let tls = Self.tls(&settings)
        let clientCertificate = Self.clientCertificate(tls, &settings)
        var primary = PostgresConfiguration(
            host: host,
            port: ports[0],
            database: settings.string("HEARTGUARD_POSTGRES_DATABASE", default: "heartguard"),
            user: settings.string("HEARTGUARD_POSTGRES_USER", default: "heartguard_\(service)"),
            password: clientCertificate != nil && settings.optional("HEARTGUARD_POSTGRES_PASSWORD_FILE") == nil
                ? nil : settings.contents(ofFile: "HEARTGUARD_POSTGRES_PASSWORD_FILE"),
            tls: tls,
            applicationName: "heartguard-\(service)",
            preparesStatements: Self.sessionsRemember(&settings),
            pool: Self.pool("HEARTGUARD_POSTGRES_POOL", &settings))
        primary.ports = ports
        primary.role = Self.role(
            "HEARTGUARD_POSTGRES_TARGET_SESSION_ATTRS", PostgresConfiguration.Role.ofWriters, default: primary.role, &settings)
        primary.clientCertificate = clientCertificate
        self.primary = primary

        guard let hosts = settings.hosts("HEARTGUARD_POSTGRES_REPLICAS", defaultPort: ports[0]) else {
            for setting in ["POOL_MIN", "POOL_MAX", "TARGET_SESSION_ATTRS"].map({ "HEARTGUARD_POSTGRES_REPLICAS_\($0)" })
            where settings.optional(setting) != nil {
                settings.report("\(setting) is set, and HEARTGUARD_POSTGRES_REPLICAS is not.")
            }
            replicas = nil
            return
        }
        var replicas = primary
        replicas.host = hosts.map(\.host).joined(separator: ",")
        replicas.ports = hosts.map(\.port)
        replicas.role = Self.role(
            "HEARTGUARD_POSTGRES_REPLICAS_TARGET_SESSION_ATTRS", PostgresConfiguration.Role.ofReaders, default: .preferStandby, &settings)
        replicas.pool = Self.pool("HEARTGUARD_POSTGRES_REPLICAS_POOL", &settings)
        self.replicas = replicas
    }

    /// At least one.
    private static func ports(of host: String, _ settings: inout Settings) -> [Int] {
        guard let text = settings.optional("HEARTGUARD_POSTGRES_PORT"), text.contains(",") else {
            return [settings.port("HEARTGUARD_POSTGRES_PORT", default: 5432)]
        }
        if let ports = PostgresConfiguration.ports(text, of: host) { return ports }
        settings.report(PostgresConfiguration.refusal(ports: "HEARTGUARD_POSTGRES_PORT", host: "HEARTGUARD_POSTGRES_HOST"))
        return [5432]
    }

    private static func role(
        _ variable: String, _ roles: [PostgresConfiguration.Role], default fallback: PostgresConfiguration.Role, _ settings: inout Settings
    ) -> PostgresConfiguration.Role {
        guard let name = settings.optional(variable) else { return fallback }
        if let role = roles.first(where: { $0.rawValue == name }) { return role }
        settings.report(PostgresConfiguration.Role.refusal(variable, roles))
        return fallback
    }

    private static func tls(_ settings: inout Settings) -> PostgresConfiguration.TLS {
        let tls = PostgresConfiguration.TLS(
            sslmode: settings.optional("HEARTGUARD_POSTGRES_SSLMODE"), rootCertificate: settings.path(ofFile: "HEARTGUARD_POSTGRES_CA_FILE"))
        if tls == nil {
            settings.report(
                PostgresConfiguration.TLS.refusal(sslmode: "HEARTGUARD_POSTGRES_SSLMODE", rootCertificate: "HEARTGUARD_POSTGRES_CA_FILE"))
        }
        return tls ?? .disabled
    }

    private static func clientCertificate(
        _ tls: PostgresConfiguration.TLS, _ settings: inout Settings
    ) -> PostgresConfiguration.ClientCertificate? {
        let certificate = settings.path(ofFile: "HEARTGUARD_POSTGRES_CERT_FILE")
        let key = settings.path(ofFile: "HEARTGUARD_POSTGRES_KEY_FILE")
        guard certificate != nil || key != nil else { return nil }
        let both = PostgresConfiguration.ClientCertificate(certificate: certificate, key: key, tls: tls)
        if both == nil {
            settings.report(
                PostgresConfiguration.ClientCertificate.refusal(
                    certificate: "HEARTGUARD_POSTGRES_CERT_FILE", key: "HEARTGUARD_POSTGRES_KEY_FILE"))
        }
        return both
    }

    /// Whether a session stays ours from one transaction to the next, in the words of pgbouncer's `pool_mode`.
    private static func sessionsRemember(_ settings: inout Settings) -> Bool {
        switch settings.string("HEARTGUARD_POSTGRES_POOLING", default: "session") {
        case "session": return true
        case "transaction": return false
        case "statement":
            settings.report(
                "HEARTGUARD_POSTGRES_POOLING is statement, but a pooler in that mode refuses transactions, which every write needs.")
        default: settings.report("HEARTGUARD_POSTGRES_POOLING is not one of session, transaction.")
        }
        return true
    }

    private static func pool(_ prefix: String, _ settings: inout Settings) -> PoolConfiguration {
        let minimum = settings.int("\(prefix)_MIN", default: 2, in: 0...30)
        let maximum = settings.int("\(prefix)_MAX", default: 10, in: 1...30)
        guard minimum <= maximum else {
            settings.report("\(prefix)_MIN is larger than \(prefix)_MAX.")
            return PoolConfiguration()
        }
        return PoolConfiguration(minimumConnections: minimum, maximumConnections: maximum)
    }
}

extension PostgresConfiguration {
    /// For one who sends one statement after the other and must not stand in a line with the others, which is as long as they are many.
    var ofOneConnection: PostgresConfiguration {
        var configuration = self
        configuration.pool.minimumConnections = 1
        configuration.pool.maximumConnections = 1
        return configuration
    }
}
