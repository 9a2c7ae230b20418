internal import ConnectionPool
internal import DatabaseTestSupport
internal import Postgres
internal import Schema
internal import TestSupport
internal import Testing

@testable internal import Chat

/// How PostgreSQL finds the threads that may lose their history among those that have lost it.
@Suite struct `The plan of deleting by age` {
    @Test func `reads no pruned thread, however often a connection has asked`() async throws {
        let server = try await PostgresServer.shared
        // Whoever deletes by age sees everybody's threads.
        try await server.makeMigratedDatabase("chat_retention_plan")
        try await server.psql(
            """
            INSERT INTO chat.checkpoint_threads (user_id, number, thread_id, used_at, pruned_at)
                SELECT gen_random_uuid(), n, 'pruned', timestamptz '2026-01-01 00:00Z' + n * interval '1 s', now() FROM generate_series(1, 10000) AS n;
            INSERT INTO chat.checkpoint_threads (user_id, number, thread_id) SELECT gen_random_uuid(), n, 'in use' FROM generate_series(1, 3000) AS n;
            ANALYZE chat.checkpoint_threads;
            """, database: "chat_retention_plan")
        var configuration = server.configuration(database: "chat_retention_plan", user: ServiceRole.chat.roleName)
        configuration.pool.maximumConnections = 1

        try await PostgresServer.withClient(configuration) { postgres in
            for _ in 0..<8 {
                let (found, read) = try await postgres.transaction(tier: .normal) { transaction in
                    let before = try await transaction.first(Self.threadsRead, as: Scalar<Int64>.self)?.value ?? 0
                    let found = try await transaction.rows(.threads(unusedFor: .seconds(3_600), unprunedOnly: true, limit: 200)).count
                    let after = try await transaction.first(Self.threadsRead, as: Scalar<Int64>.self)?.value ?? 0
                    return (found, after - before)
                }
                #expect(found == 0)
                #expect(read < 100)
            }
        }
    }

    /// Threads that the connection has read; it tells the server now and then, and counts anew.
    private static let threadsRead: Query = """
        SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables
        WHERE schemaname = 'chat' AND relname = 'checkpoint_threads'
        """
}
