internal import Contracts
internal import DatabaseTestSupport
internal import Logging
internal import Passwords
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Redis
internal import Resilience
internal import Schema
internal import TestSupport
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

/// One migrated database for all tests of Users: each works with addresses that nobody else has.
private let database = Once<PostgresConfiguration> { try await makeDatabase("users_tests") }

/// One for those that work off its outbox.
let erasureDatabase = Once<PostgresConfiguration> { try await makeDatabase("users_erasure_tests") }

/// One for exports, of which one test takes up whatever runs.
let exportDatabase = Once<PostgresConfiguration> { try await makeDatabase("users_export_tests") }

/// A migrated database that all of these are copies of.
private let template = Once<String> {
    try await PostgresServer.shared.makeMigratedDatabase("users_template")
    return "users_template"
}

func makeDatabase(_ name: String) async throws -> PostgresConfiguration {
    let server = try await PostgresServer.shared
    let source = try await template.value
    try await server.psql("CREATE DATABASE \(name) TEMPLATE \(source) OWNER \(ServiceRole.owner)")
    return server.configuration(database: name, user: ServiceRole.users.roleName)
}

/// One durable Redis for all tests of Users. It ends with the test process.
private let durableRedis = Once<RedisServer> { try await RedisServer.start() }

/// Says nothing: what goes wrong in a test is seen by the test.
let quiet = Logger(label: "users-tests") { _ in SwiftLogNoOpLogHandler() }

private let signingKey = TokenSigner.newPrivateKeyPEM()

/// Where the stores are, for a program that runs as a whole.
func storeSettings() async throws -> [String: String] {
    let postgres = try await database.value
    let redis = try await durableRedis.value
    return [
        "HEARTGUARD_POSTGRES_PORT": "\(postgres.port)", "HEARTGUARD_POSTGRES_DATABASE": postgres.database,
        "HEARTGUARD_REDIS_DURABLE_PORT": "\(redis.port)",
        // Users keeps nothing in the cache, so the durable one stands in for it.
        "HEARTGUARD_REDIS_CACHE_PORT": "\(redis.port)",
    ]
}

/// The superuser's way into the same database, for what no role of ours may do.
func administratorConfiguration() async throws -> PostgresConfiguration {
    let server = try await PostgresServer.shared
    return server.configuration(database: try await database.value.database)
}

/// The service's own way in.
func usersDatabase() async throws -> PostgresConfiguration { try await database.value }

/// Lends a pool of the service's own role.
func withUsersDatabase(_ body: (Postgres) async throws -> Void) async throws {
    try await PostgresServer.withClient(database.value) { postgres in try await body(postgres) }
}

/// The service with what it stands on, for tests that look behind it.
struct UsersStand {
    let service: UsersService
    let postgres: Postgres
    let blocklist: TokenBlocklist
    let keeper: BlocklistKeeper
    let passwords: Passwords
    let durable: Redis
    let signer: TokenSigner
    /// What every other service verifies access tokens with.
    let verifier: TokenVerifier
}

/// Lends the service over a pool of the service's own role.
///
/// - Parameters:
///   - shared: the database; by default the one that most share.
///   - redis: the blocklist's server, for a test that breaks it; by default the one that all share.
///   - isFilled: whether the blocklist has what the record has, as it has a second after a program has started.
///   - credentials: what checks passwords; by default the real thing.
func withUsers(
    in shared: Once<PostgresConfiguration>? = nil, lifetimes: TokenLifetimes = TokenLifetimes(), redis: RedisServer? = nil,
    isFilled: Bool = true, passwords: Passwords = .quick(), credentials: CredentialCheck? = nil, _ body: (UsersStand) async throws -> Void
) async throws {
    let port = if let redis { redis.port } else { try await durableRedis.value.port }
    let durable = Redis(
        configuration: RedisConfiguration(port: port, role: .durable, commandTimeout: .seconds(2)), logger: quiet)
    try await PostgresServer.withClient((shared ?? database).value) { postgres in
        async let _: Void = durable.run()
        let signer = try TokenSigner(privateKeyPEM: signingKey, issuer: "heartguard")
        let users = UserRepository(postgres: postgres)
        let blocklist = TokenBlocklist(redis: durable)
        let keeper = BlocklistKeeper(record: RevocationRepository(postgres: postgres), blocklist: blocklist, logger: quiet)
        let sessions = Sessions(
            repository: SessionRepository(postgres: postgres), signer: signer, blocklist: blocklist, keeper: keeper,
            lifetimes: lifetimes)
        if isFilled { try await keeper.keep() }
        try await withCaches { caches in
            let profiles = Profiles(users, caches: caches)
            let service = UsersService(
                accounts: Accounts(
                    users: users, sessions: sessions, profiles: profiles, erasures: ErasureRepository(postgres: postgres), passwords: passwords,
                    credentials: credentials),
                sessions: sessions, profiles: profiles,
                consents: ConsentRepository(postgres: postgres), notifications: Notifications(postgres: postgres))
            try await body(
                UsersStand(
                    service: service, postgres: postgres, blocklist: blocklist, keeper: keeper, passwords: passwords, durable: durable,
                    signer: signer,
                    verifier: try TokenVerifier(jwks: signer.jwks, issuer: "heartguard")))
        }
    }
}

extension Passwords {
    /// With parameters that no account should have, so that tests don't wait for them.
    static func quick(iterations: UInt32 = 1) -> Passwords {
        Passwords(parameters: Argon2Parameters(memoryKiB: 64, iterations: iterations, parallelism: 1))
    }
}

extension UsersStand {
    /// What a service hears that asks whether the session of a token stands.
    func standing(_ claims: AccessClaims) async throws -> TokenBlocklist.Standing {
        try await blocklist.standing(session: claims.sessionID, of: claims.subject)
    }
}
