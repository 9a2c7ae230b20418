internal import Cache
internal import ConnectionPool
internal import DatabaseTestSupport
internal import Logging
internal import Postgres
internal import RecordTestSupport
internal import Schema
internal import TestSupport

@testable internal import Vitals

/// One migrated database for all tests of Vitals: each works as people whom nobody else knows.
private let database = Once<PostgresConfiguration> {
    let server = try await PostgresServer.shared
    try await server.makeMigratedDatabase("vitals_tests")
    return server.configuration(database: "vitals_tests", user: ServiceRole.vitals.roleName)
}

/// Lends a pool of the service's own role with a number of connections.
func withVitalsDatabase(connections: Int, _ body: (Postgres) async throws -> Void) async throws {
    var configuration = try await database.value
    configuration.pool.maximumConnections = connections
    try await PostgresServer.withClient(configuration) { postgres in try await body(postgres) }
}

/// Runs SQL as a superuser, for what no role of ours may do.
func runAsSuperuser(_ sql: String) async throws {
    let name = try await database.value.database
    try await PostgresServer.shared.psql(sql, database: name)
}

/// Lends the service over a pool of the service's own role, and the pool for tests that look behind it.
func withVitals(_ body: (VitalsService, Postgres) async throws -> Void) async throws {
    try await PostgresServer.withClient(database.value) { postgres in
        try await withCaches { caches in
            try await body(VitalsService(postgres, caches), postgres)
        }
    }
}

func withVitals(_ body: (VitalsService) async throws -> Void) async throws {
    try await withVitals { service, _ in try await body(service) }
}

extension VitalsService {
    /// A replica with a pool and caches of its own.
    init(_ postgres: Postgres, _ caches: CacheHub) {
        let observations = ObservationRepository(postgres: postgres)
        self.init(
            observations: observations, latest: LatestObservations(observations, caches: caches),
            devices: DeviceRepository(postgres: postgres), samples: SampleRepository(postgres: postgres))
    }
}
