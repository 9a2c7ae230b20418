internal import ConnectionPool
internal import DatabaseTestSupport
internal import Logging
internal import Postgres
internal import RecordTestSupport
internal import Schema
internal import TestSupport

@testable internal import Chat

/// One migrated database for all tests of Chat: each works as users whom nobody else knows.
private let database = Once<PostgresConfiguration> {
    let server = try await PostgresServer.shared
    try await server.makeMigratedDatabase("chat_tests")
    // Many tests run at once, and none of them is about how long a connection may take.
    return server.configuration(
        database: "chat_tests", user: ServiceRole.chat.roleName,
        pool: PoolConfiguration(minimumConnections: 0, acquireTimeout: .seconds(60)))
}

/// Lends the service, over a pool of the service's own role.
func withChat(_ body: (ChatService) async throws -> Void) async throws {
    try await PostgresServer.withClient(database.value) { postgres in
        let sessions = SessionRepository(postgres: postgres)
        try await withCaches { caches in
            try await body(
                ChatService(
                    sessions: sessions, messages: MessageRepository(postgres: postgres),
                    recent: RecentSessions(sessions, caches: caches),
                    archiver: SessionArchiver(postgres: postgres, settings: .init(), logger: quiet)))
        }
    }
}

/// Lends a pool of the service's own role, for tests of one table.
func withChatDatabase(_ body: (Postgres) async throws -> Void) async throws {
    try await PostgresServer.withClient(database.value, body)
}
