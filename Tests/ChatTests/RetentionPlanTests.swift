internal import ConnectionPool
internal import DatabaseTestSupport
internal import Postgres
internal import Schema
internal import TestSupport
internal import Testing
internal import Time

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

/// How PostgreSQL finds the conversations that nobody has used for long among those that are archived, and those in use.
@Suite struct `The plan of archiving by age` {
    @Test func `reads no conversation that is archived, and none that began since`() async throws {
        let server = try await PostgresServer.shared
        try await server.makeMigratedDatabase("chat_archiving_plan")
        try await server.psql(
            """
            INSERT INTO chat.chat_sessions (user_id, id, title, message_count, updated_at)
                SELECT gen_random_uuid(), gen_random_uuid(), 'archived', 1, timestamptz '2020-01-01 00:00Z' + n * interval '1 s' FROM generate_series(1, 10000) AS n;
            INSERT INTO chat.session_archives (user_id, sequence, session_id, title, message_count, encoding, content, uncompressed_bytes, checksum, reason, retain_until)
                SELECT user_id, 1, id, title, 1, 'identity', 'x', 1, sha256('x'), 'age', '2040-01-01' FROM chat.chat_sessions;
            INSERT INTO chat.chat_sessions (user_id, id, title, message_count, updated_at)
                SELECT gen_random_uuid(), gen_random_uuid(), 'in use', 1, now() FROM generate_series(1, 3000) AS n;
            INSERT INTO chat.chat_sessions (user_id, id, title, message_count, updated_at)
                SELECT gen_random_uuid(), gen_random_uuid(), 'idle', 1, timestamptz '2021-01-01 00:00Z' + n * interval '1 s' FROM generate_series(1, 5) AS n;
            INSERT INTO chat.chat_messages (user_id, id, session_id, sequence, role, content, client_id, created_at)
                SELECT user_id, gen_random_uuid(), id, 1, 'user', 'x', 'x', updated_at FROM chat.chat_sessions WHERE title <> 'archived';
            ANALYZE chat.chat_sessions, chat.session_archives, chat.chat_messages;
            """, database: "chat_archiving_plan")
        var configuration = server.configuration(database: "chat_archiving_plan", user: ServiceRole.chat.roleName)
        configuration.pool.maximumConnections = 1

        try await PostgresServer.withClient(configuration) { postgres in
            let moment = Instant.now() - .seconds(365 * 86_400)
            var last: IdleSession?
            for expected in [3, 2, 0] {
                let place = last
                let (found, read) = try await postgres.transaction(tier: .normal) { transaction in
                    let before = try await transaction.first(Self.rowsRead, as: Scalar<Int64>.self)?.value ?? 0
                    let found = try await transaction.rows(.idleSessions(since: moment, behind: place, limit: 3))
                    let after = try await transaction.first(Self.rowsRead, as: Scalar<Int64>.self)?.value ?? 0
                    return (found, after - before)
                }
                #expect(found.count == expected)
                #expect(read < 100)
                last = found.last
            }
        }
    }

    private static let rowsRead: Query = """
        SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables
        WHERE schemaname = 'chat' AND relname IN ('chat_sessions', 'session_archives', 'chat_messages')
        """
}
