internal import Application
internal import Foundation
internal import Postgres
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vitals

/// How PostgreSQL finds the newest readings of one person among those of many.
@Suite struct `The newest readings' plan` {
    /// 200 people with 20 readings of each of ten codes.
    private static let crowd = Once<UUID> {
        let person = UUIDv7.make()
        try await runAsSuperuser(
            """
            INSERT INTO vitals.vitals (user_id, id, metric, value, unit, effective_at, utc_offset_minutes, source, sequence)
            SELECT CASE n % 200 WHEN 0 THEN '\(person)' ELSE md5((n % 200)::text)::uuid END, gen_random_uuid(),
                   10000 + n / 200 % 10 || '-1', 1, '1', timestamptz '2026-01-01' + n * interval '1 s', 0, 'test', n
            FROM generate_series(0, 39999) AS n;
            ANALYZE vitals.vitals;
            """)
        return person
    }

    private struct Plans: RowDecodable {
        let generic: Int
        let custom: Int

        init(row: Row) throws(PostgresError) {
            generic = try row.decode("generic_plans")
            custom = try row.decode("custom_plans")
        }
    }

    @Test func `is kept after five calls`() async throws {
        let person = UserID(try await Self.crowd.value)
        try await withVitalsDatabase(connections: 1) { postgres in
            for _ in 0..<7 {
                #expect(try await postgres.rows(.latest(of: person), identity: .user(person.uuid)).count == 10)
            }

            let plans = try await postgres.rows(
                """
                SELECT generic_plans, custom_plans FROM pg_prepared_statements
                WHERE statement LIKE '%FROM vitals.vitals%' AND statement NOT LIKE '%FROM pg_prepared_statements%'
                """, as: Plans.self, mode: .readOnly)
            #expect(plans.map(\.generic) == [2])
            #expect(plans.map(\.custom) == [5])
        }
    }

    @Test func `costs one look-up in the index per code`() async throws {
        let person = UserID(try await Self.crowd.value)
        try await withVitalsDatabase(connections: 1) { postgres in
            let all = try await scans(of: .latest(of: person), person, postgres)

            // The first reading of all, and then the next code behind each of the ten.
            #expect(all == [
                "Index Scan using vitals_newest on vitals loops=1", "Index Scan using vitals_newest on vitals vitals_1 loops=10",
            ])
        }
    }

    /// The scans of tables in a statement's plan, each with the number of times that it began.
    private func scans(
        of statement: Statement<Observation>, _ person: UserID, _ postgres: Postgres
    ) async throws -> [String] {
        let plan = try await postgres.rows(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) \(statement.query)", as: Scalar<String>.self,
            identity: .user(person.uuid), mode: .readOnly)
        return plan.map(\.value).filter { $0.contains(/\son vitals\b/) }.map { line in
            line.replacing(/^.*->\s*/, with: "").replacing(/\(.*(loops=\d+)\)/) { "\($0.1)" }
        }
    }
}
