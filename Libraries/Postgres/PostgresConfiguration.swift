package import ConnectionPool
internal import Time

/// Where a database is, who connects, and how many connections there may be.
package struct PostgresConfiguration: Sendable, CustomStringConvertible {
    /// How the connection is protected on its way. libpq's `sslmode` has two more, `allow` and `prefer`, which give
    /// nothing: whoever sits in between makes them plain.
    package enum TLS: Sendable, Hashable {
        /// No encryption: for loopback and Unix sockets.
        case disabled
        /// Encrypted, but whoever answers is believed.
        case required
        /// Encrypted, and the server's certificate has to be issued by this root (a PEM file) for this host.
        case verified(rootCertificate: String)
        /// Encrypted, and the server's certificate has to be issued by this root, whatever host it names: for a root that issues for servers
        /// of one's own alone, as those of a managed database whose certificates name no host.
        case issuerVerified(rootCertificate: String)

        /// libpq's name of it.
        package var sslmode: String {
            switch self {
            case .disabled: "disable"
            case .required: "require"
            case .verified: "verify-full"
            case .issuerVerified: "verify-ca"
            }
        }

        package var rootCertificate: String? {
            switch self {
            case .disabled, .required: nil
            case .verified(let root), .issuerVerified(let root): root
            }
        }

        /// By libpq's names (PostgreSQL manual, 34.19.3): `disable`, `require`, and with a root `verify-ca` and `verify-full`, which is meant where
        /// nothing but the root is given. `nil` for what makes no sense: other names, a root without a use, one of the two without a root.
        package init?(sslmode: String?, rootCertificate: String?) {
            switch (sslmode, rootCertificate) {
            case (nil, nil), ("disable", nil): self = .disabled
            case ("require", nil): self = .required
            case (nil, let root?), ("verify-full", let root?): self = .verified(rootCertificate: root)
            case ("verify-ca", let root?): self = .issuerVerified(rootCertificate: root)
            default: return nil
            }
        }

        /// What is said of settings that make none, by their names.
        package static func refusal(sslmode: String, rootCertificate: String) -> String {
            "\(sslmode) has to be disable, require, or, with \(rootCertificate), verify-full or verify-ca."
        }
    }

    /// What the client shows of itself to a server that asks (34.19.2): two files in PEM. libpq reads them at each new connection, and
    /// refuses a key that others than its owner may read.
    package struct ClientCertificate: Sendable, Hashable {
        package let certificate: String
        package let key: String

        /// `nil` for what makes no sense: one file without the other, or both without TLS.
        package init?(certificate: String?, key: String?, tls: TLS) {
            guard let certificate, let key, tls != .disabled else { return nil }
            self.certificate = certificate
            self.key = key
        }

        /// What is said of settings that make none, by their names.
        package static func refusal(certificate: String, key: String) -> String {
            "\(certificate) and \(key) have to be given together, and with TLS."
        }
    }

    /// libpq's `target_session_attrs` (34.1.2).
    package enum Role: String, Sendable, Hashable {
        case any
        /// Takes writes.
        case primary
        /// Follows another server.
        case standby
        /// A standby, or if none can be reached whatever can.
        case preferStandby = "prefer-standby"

        /// Those that will do for who writes, and for who only reads. libpq's `read-write` and `read-only` are left out: they ask whether a session
        /// refuses writes by default, and every one of ours does.
        package static let ofWriters: [Role] = [.any, .primary]
        package static let ofReaders: [Role] = [.any, .standby, .preferStandby]

        /// What is said of a setting that names none of them, by its name.
        package static func refusal(_ variable: String, _ roles: [Role]) -> String {
            "\(variable) is not one of \(roles.map(\.rawValue).joined(separator: ", "))."
        }
    }

    /// A name, an address, or the folder of a Unix socket; several, parted by commas, are tried in turn.
    package var host: String
    package var port: Int
    /// A port for each of several hosts, where they differ; otherwise `port` is that of all.
    package var ports: [Int] = []
    /// Which of several hosts will do: `primary` unless it is said, since the others are there to take over; of one whatever it is. libpq asks each
    /// in turn, again whenever a connection is made, so a failover is followed.
    package var role: Role
    package var database: String
    package var user: String
    package var password: String?
    package var tls: TLS
    package var clientCertificate: ClientCertificate?
    /// Shown in `pg_stat_activity`, so that an operator sees whose connection it is.
    package var applicationName: String
    /// Whether statements are prepared once on a connection and used again. Not behind a pooler that lends the server's sessions
    /// by the transaction (pgbouncer's transaction mode before 1.21): there a session does not remember. Then each statement
    /// is parsed where it is run, and nothing is asked of the session when it is opened.
    package var preparesStatements: Bool
    /// How long one attempt to connect may take. Of several hosts, one that has not let the client in by then is passed over, and those that are
    /// left have as long again.
    package var connectTimeout: Duration
    package var pool: PoolConfiguration

    package init(
        host: String, port: Int = 5_432, database: String, user: String, password: String? = nil,
        tls: TLS = .disabled, applicationName: String = "heartguard", preparesStatements: Bool = true,
        connectTimeout: Duration = .seconds(5),
        pool: PoolConfiguration = PoolConfiguration()
    ) {
        self.host = host
        self.port = port
        role = host.contains(",") ? .primary : .any
        self.database = database
        self.user = user
        self.password = password
        self.tls = tls
        self.applicationName = applicationName
        self.preparesStatements = preparesStatements
        self.connectTimeout = connectTimeout
        self.pool = pool
    }

    /// Who connects where; never the password.
    package var description: String { "\(user)@\(address)/\(database)" }

    /// Each host with its port, or all hosts with theirs.
    var address: String {
        let hosts = host.split(separator: ",", omittingEmptySubsequences: false)
        guard ports.count == hosts.count else { return "\(host):\(ports.first ?? port)" }
        return zip(hosts, ports).map { "\($0):\($1)" }.joined(separator: ",")
    }

    /// The ports of a list, parted by commas, as libpq has it (34.1.1.3): one for each of the hosts, or one for all. `nil` for what is none.
    package static func ports(_ text: String, of host: String) -> [Int]? {
        let given = text.split(separator: ",", omittingEmptySubsequences: false)
        let ports = given.compactMap { Int($0) }.filter { (1...65_535).contains($0) }
        let hostCount = host.split(separator: ",", omittingEmptySubsequences: false).count
        guard ports.count == given.count, ports.count == 1 || ports.count == hostCount else { return nil }
        return ports
    }

    /// What is said of settings that have no such list, by their names.
    package static func refusal(ports: String, host: String) -> String {
        "\(ports) has to be one port, or a port for each host of \(host), parted by commas."
    }

    /// The same without one of several hosts; `nil` if it is none of them.
    func without(host: String, port: String) -> PostgresConfiguration? {
        var hosts = self.host.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
        guard hosts.count > 1 else { return nil }
        var all = ports.count == hosts.count ? ports : Array(repeating: ports.first ?? self.port, count: hosts.count)
        guard let place = hosts.indices.first(where: { hosts[$0] == host && String(all[$0]) == port }) else { return nil }
        hosts.remove(at: place)
        all.remove(at: place)
        var rest = self
        rest.host = hosts.joined(separator: ",")
        rest.ports = all
        return rest
    }

    /// libpq's connection parameters.
    var parameters: [(name: String, value: String)] {
        var parameters = [
            ("host", host),
            // libpq takes one port for all hosts, or a list of the same length.
            ("port", ports.isEmpty ? String(port) : ports.map(String.init).joined(separator: ",")),
            ("target_session_attrs", role.rawValue),
            ("dbname", database),
            ("user", user),
            ("application_name", applicationName),
            ("client_encoding", "UTF8"),
            // A peer that vanished without a word is noticed within about half a minute.
            ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "4"),
            ("tcp_user_timeout", "30000"),
            // A transaction that this process forgot or froze in must not hold its locks for ever. The other two are what a read-only
            // transaction of the fast tier needs, which then has no settings to send; every other says what it wants. Machine code made for a
            // statement (jit) takes half a second each time, for statements that take a tenth of that.
            ("options", "-c idle_in_transaction_session_timeout=300s -c jit=off -c default_transaction_read_only=on "
                + "-c statement_timeout=\(TimeoutTier.fast.limit.millisecondsRoundedUp)ms"),
        ]
        // pgbouncer refuses them unless it is told to ignore them.
        if !preparesStatements { parameters.removeAll { $0.0 == "options" } }
        if let password { parameters.append(("password", password)) }
        parameters.append(("sslmode", tls.sslmode))
        if let root = tls.rootCertificate { parameters.append(("sslrootcert", root)) }
        if let clientCertificate {
            parameters += [("sslcert", clientCertificate.certificate), ("sslkey", clientCertificate.key)]
        }
        return parameters
    }
}
