/// Which Redis to use, as what, and within which bounds.
package struct RedisConfiguration: Sendable {
    /// What is kept there, which decides what the server may do with it.
    package enum Role: String, Sendable, Hashable {
        /// Must not lose a key before its time: a server that may evict is refused at every connection.
        case durable
        /// May forget anything at any moment.
        case cache
    }

    package var host: String
    package var port: Int
    /// A user of the server's access list; without one the password is that of the default user.
    package var username: String?
    package var password: String?
    package var role: Role
    package var tls: RedisTLS?

    /// From the first packet until Redis has accepted our credentials and told its policy.
    package var connectTimeout: Duration
    /// How long a reply may take. A connection that is silent for so long while it owes replies is given up.
    package var commandTimeout: Duration
    /// nil: one for each event loop, so that a task that runs on one keeps to its thread.
    package var connections: Int?
    /// The name that `CLIENT LIST` shows.
    package var clientName: String

    /// How many commands a connection may owe replies for before further ones are refused as `.overloaded`.
    package var maxOutstandingCommands = 16_384
    /// How many bytes those commands may have together; also the largest command.
    package var maxOutstandingBytes = 64 << 20
    /// The largest reply. A larger one ends the connection.
    package var maxReplyBytes = 64 << 20
    /// The wait before connecting again: doubled after each failure, halved at random.
    package var reconnectDelay: ClosedRange<Duration> = .milliseconds(50) ... .seconds(5)

    package init(
        host: String = "127.0.0.1", port: Int = 6379, username: String? = nil, password: String? = nil, role: Role,
        connectTimeout: Duration = .seconds(2), commandTimeout: Duration = .seconds(5), tls: RedisTLS? = nil,
        connections: Int? = nil, clientName: String = "heartguard"
    ) {
        self.host = host
        self.port = port
        self.username = username
        self.password = password
        self.role = role
        self.connectTimeout = connectTimeout
        self.commandTimeout = commandTimeout
        self.tls = tls
        self.connections = connections
        self.clientName = clientName
    }
}

/// Paths of PEM files for TLS to Redis; read at every connection, so that a renewed certificate is taken up.
package struct RedisTLS: Sendable, Hashable {
    /// The authorities to trust; the system's if nil.
    package var trustRoots: String?
    /// Our own certificate and key, if the server asks for one.
    package var certificateChain: String?
    package var privateKey: String?
    /// The name that the server's certificate must have, if it is not the host. A certificate for the very address that
    /// was connected to is accepted as well.
    package var serverName: String?

    package init(
        trustRoots: String? = nil, certificateChain: String? = nil, privateKey: String? = nil, serverName: String? = nil
    ) {
        self.trustRoots = trustRoots
        self.certificateChain = certificateChain
        self.privateKey = privateKey
        self.serverName = serverName
    }
}

extension RedisConfiguration {
    /// Whether connections are protected, as two settings ask for it.
    package struct Protection {
        /// `nil` for connections in the clear.
        package let tls: RedisTLS?

        /// - Parameters:
        ///   - word: `on` or `off`; without one, `on` where there is a file.
        ///   - authority: the file of the authorities to believe; the system's without one.
        /// - Returns: nil for what makes no sense: another word, a file that nothing is done with.
        package init?(_ word: String?, authority: String?) {
            switch word ?? (authority == nil ? "off" : "on") {
            case "on": tls = RedisTLS(trustRoots: authority)
            case "off" where authority == nil: tls = nil
            default: return nil
            }
        }
    }
}
