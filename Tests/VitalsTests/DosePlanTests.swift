internal import Application
internal import Foundation
internal import Postgres
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vitals

/// How PostgreSQL finds the doses of a period among all that a person has recorded.
@Suite struct `The plan of a period's doses` {
    @Test func `looks at no dose of another time`() async throws {
        let person = UUIDv7.make()
        try await runAsSuperuser(
            """
            INSERT INTO vitals.medications (user_id, id, name, dosage)
                SELECT '\(person)', gen_random_uuid(), 'drug ' || n, '5 mg' FROM generate_series(1, 5) AS n;
            INSERT INTO vitals.medication_doses (user_id, id, medication_id, scheduled_at, outcome, recorded_for)
                SELECT m.user_id, gen_random_uuid(), m.id, timestamptz '2026-01-01 00:00Z' + n * interval '6 h', 'taken', timestamptz '2026-01-01 00:00Z' + n * interval '6 h'
                FROM vitals.medications m CROSS JOIN generate_series(0, 1999) AS n WHERE m.user_id = '\(person)';
            ANALYZE vitals.medication_doses;
            """)
        let start = try #require(Instant(rfc3339: "2026-06-01T00:00:00Z"))
        let statement = Statement<RecordedDose>.doses(of: UserID(person), in: try Period(start: start, end: start + .seconds(86_400)))

        try await withVitalsDatabase(connections: 1) { postgres in
            #expect(try await postgres.rows(statement, identity: .user(person)).count == 20)
            let plan = try await postgres.rows(
                "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) \(statement.query)", as: Scalar<String>.self, identity: .user(person), mode: .readOnly
            ).map(\.value)

            #expect(plan.contains { $0.contains("medication_doses_due") }, "\(plan)")
            #expect(!plan.contains { $0.contains("Rows Removed by Filter") }, "\(plan)")
        }
    }
}
