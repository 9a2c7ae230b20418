package import Logging
internal import NIOCore
package import Postgres
package import RPC
package import Redis

/// What every service is told: where it listens, how it proves itself, and where its stores are.
package struct ServiceConfiguration: Sendable {
    /// The service's short name: `users`, `vitals`, `chat`, `vectors` or `gateway`.
    package let service: String
    package let logLevel: Logger.Level
    package let server: RPCServerConfiguration
    /// Of clients, at each port that they come to.
    package let maxConnections: Int
    /// Threads for connections (`EventLoops`).
    package let eventLoops: Int
    /// How to connect to the other services, and the certificate to show them; nil without TLS.
    package let clientTLS: ClientTLS?
    /// Nil for a service that keeps no records.
    package let postgres: PostgresConfiguration?
    /// Where reads go that may lag; nil where all go to `postgres`.
    package let postgresReplicas: PostgresConfiguration?
    package let durableRedis: RedisConfiguration
    package let cacheRedis: RedisConfiguration
    /// The public keys of access tokens, as a JSON Web Key Set.
    package let jwks: String
    package let tokenIssuer: String
    /// How long the answers of calls with an idempotency-key are kept.
    package let answersAreKept: Duration
    /// Where metrics are read; nil for nowhere.
    package let operatorEndpoint: OperatorEndpoint?

    /// Reads the settings that services share. What is wrong with them is reported by `settings.finish()`.
    ///
    /// - Parameter loopPerCore: unless the settings say otherwise: for a program whose own work is done on its event loops. Others, whose work is the
    ///   stores', have one.
    package init(service: String, keepsRecords: Bool = true, loopPerCore: Bool = false, from settings: inout Settings) {
        self.service = service
        let level = settings.string("HEARTGUARD_LOG_LEVEL", default: "info")
        logLevel = Logger.Level(rawValue: level) ?? .info
        if Logger.Level(rawValue: level) == nil {
            settings.report("HEARTGUARD_LOG_LEVEL is not one of trace, debug, info, notice, warning, error, critical.")
        }

        let trustRoots = settings.optional("HEARTGUARD_TLS_CA_FILE")
        var tls: TLSFiles?
        if settings.optional("HEARTGUARD_TLS_CERTIFICATE_FILE") != nil || settings.optional("HEARTGUARD_TLS_KEY_FILE") != nil {
            tls = TLSFiles(
                certificateChain: settings.string("HEARTGUARD_TLS_CERTIFICATE_FILE"),
                privateKey: settings.string("HEARTGUARD_TLS_KEY_FILE"),
                trustRoots: trustRoots,
                callerCertificates: .optional)
        }
        clientTLS = trustRoots.map {
            ClientTLS(trustRoots: $0, certificateChain: tls?.certificateChain, privateKey: tls?.privateKey)
        }
        var server = RPCServerConfiguration(
            host: settings.string("HEARTGUARD_LISTEN_HOST", default: "127.0.0.1"),
            port: settings.port("HEARTGUARD_LISTEN_PORT", allowsAny: true),
            tls: tls)
        // A third: the Gateway has two doors, and what is left is for stores, other services and files.
        maxConnections = settings.int("HEARTGUARD_MAX_CONNECTIONS", default: max(64, Descriptors.most / 3), in: 1...1_000_000)
        server.connections = OpenConnections(most: maxConnections)
        server.explainLate = { error, stages in error.naming(stages) }
        self.server = server
        eventLoops = settings.int("HEARTGUARD_EVENT_LOOP_THREADS", default: loopPerCore ? System.coreCount : 1, in: 1...256)

        let records = keepsRecords ? PostgresSettings(service: service, from: &settings) : nil
        postgres = records?.primary
        postgresReplicas = records?.replicas
        durableRedis = Self.redis(.durable, "HEARTGUARD_REDIS_DURABLE", from: &settings)
        cacheRedis = Self.redis(.cache, "HEARTGUARD_REDIS_CACHE", from: &settings)
        jwks = settings.contents(ofFile: "HEARTGUARD_TOKEN_JWKS_FILE")
        tokenIssuer = settings.string("HEARTGUARD_TOKEN_ISSUER", default: "heartguard")
        answersAreKept = .seconds(3_600 * settings.int("HEARTGUARD_IDEMPOTENCY_HOURS", default: 24, in: 1...720))
        operatorEndpoint = settings.optional("HEARTGUARD_OPERATOR_PORT") == nil ? nil : OperatorEndpoint(
            host: settings.string("HEARTGUARD_OPERATOR_HOST", default: "127.0.0.1"),
            port: settings.port("HEARTGUARD_OPERATOR_PORT", allowsAny: true))
    }

    private static func redis(
        _ role: RedisConfiguration.Role, _ prefix: String, from settings: inout Settings
    ) -> RedisConfiguration {
        RedisConfiguration(
            host: settings.string("\(prefix)_HOST"),
            port: settings.port("\(prefix)_PORT"),
            username: settings.optional("\(prefix)_USERNAME"),
            password: settings.optional("\(prefix)_PASSWORD_FILE") == nil
                ? nil : settings.contents(ofFile: "\(prefix)_PASSWORD_FILE"),
            role: role,
            tls: redisTLS(prefix, from: &settings))
    }

    private static func redisTLS(_ prefix: String, from settings: inout Settings) -> RedisTLS? {
        let protection = RedisConfiguration.Protection(settings.optional("\(prefix)_TLS"), authority: settings.path(ofFile: "\(prefix)_CA_FILE"))
        if protection == nil { settings.report("\(prefix)_TLS has to be on or, without \(prefix)_CA_FILE, off.") }
        return protection?.tls
    }
}
