internal import Application
internal import Foundation
internal import Postgres
internal import Testing
internal import Time

/// What erasing and exporting read for the next rows of a person who has many.
@Suite struct `A step through a long history` {
    /// Newer than any other, so that by its statistics a table has nothing behind it.
    private static let device = "ffffffff-ffff-7fff-bfff-ffffffffffff"

    /// Samples that the connection has read; it tells the server now and then, and counts anew.
    private static let samplesRead: Query = """
        SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint FROM pg_stat_xact_user_tables
        WHERE schemaname = 'vitals' AND relname LIKE 'device_timeseries%'
        """

    /// A person with 20,000 samples.
    private func makePerson() async throws -> UUID {
        let person = UUIDv7.make()
        try await runAsSuperuser(
            """
            INSERT INTO vitals.user_devices (user_id, id, device_type, platform, name, serial_number)
                VALUES ('\(person)', '\(Self.device)', 'watch', 'test', 'watch', 'one');
            INSERT INTO vitals.device_timeseries (user_id, device_id, metric_type, "timestamp", sequence, value)
                SELECT '\(person)', '\(Self.device)', 'heart_rate', timestamptz '2026-11-01 00:00Z' + n * interval '1 min', n, 60
                FROM generate_series(0, 19999) AS n;
            DELETE FROM vitals.device_rollups WHERE user_id = '\(person)';
            ANALYZE vitals.device_timeseries;
            """)
        return person
    }

    @Test func `erases by looking its rows up`() async throws {
        let person = try await makePerson()
        try await withVitalsDatabase(connections: 1) { postgres in
            let (removed, read) = try await postgres.transaction(identity: .user(person), tier: .normal) { transaction in
                let before = try await transaction.first(Self.samplesRead, as: Scalar<Int64>.self)?.value ?? 0
                let removed = try await transaction.first(.eraseRows(for: UUIDv7.make(), atMost: 2_000, in: "vitals"))?.value
                let after = try await transaction.first(Self.samplesRead, as: Scalar<Int64>.self)?.value ?? 0
                return (removed, after - before)
            }

            #expect(removed == 2_000)
            // Each is read where it is chosen and where it is deleted.
            #expect((2_000...8_000).contains(read))
        }
    }

    @Test func `exports by going on in the index`() async throws {
        let person = try await makePerson()
        let place = #"{"device_id": "\#(Self.device)", "metric_type": "heart_rate", "timestamp": "2026-11-01T00:00:00Z", "sequence": 0}"#
        try await withVitalsDatabase(connections: 1) { postgres in
            let (told, read) = try await postgres.transaction(identity: .user(person), tier: .normal) { transaction in
                let before = try await transaction.first(Self.samplesRead, as: Scalar<Int64>.self)?.value ?? 0
                let told = try await transaction.rows(
                    .exportRows(of: "device_timeseries", in: "vitals", after: place, mostBytes: 10_000)
                ).count
                let after = try await transaction.first(Self.samplesRead, as: Scalar<Int64>.self)?.value ?? 0
                return (told, after - before)
            }

            #expect((10...100).contains(told))
            // What a cursor has fetched ahead is read and not told.
            #expect((10...1_000).contains(read))
        }
    }
}
