internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import Testing
internal import Time

@testable internal import Vitals

@Suite struct `The vitals role` {
    /// One query for each table with a user's id, written as a forgetful programmer would: without a condition.
    private static let everything: [Query] = [
        "SELECT user_id FROM vitals.user_devices", "SELECT user_id FROM vitals.vitals",
        "SELECT user_id FROM vitals.device_timeseries", "SELECT user_id FROM vitals.device_series",
        "SELECT user_id FROM vitals.device_rollups WHERE hours = 1",
    ]

    /// Somebody with a row in every table; returns their device.
    private func fill(_ vitals: VitalsService, for caller: Caller) async throws -> UUID {
        let watch = try await vitals.registerWatch(for: caller)
        try await vitals.record([.heartRate(0)], as: caller)
        _ = try await vitals.appendSamples(
            .init(deviceId: watch, metric: "ppg", samples: [.init(at: .init(morning), sequence: 0, value: 1)]),
            context: caller.context)
        return try #require(UUID(uuidString: watch))
    }

    @Test(arguments: everything.indices)
    func `sees the rows of the person it works for and no others`(table: Int) async throws {
        try await withVitals { vitals, postgres in
            let ada = Caller()
            _ = try await fill(vitals, for: ada)
            _ = try await fill(vitals, for: Caller())

            let seen = try await postgres.rows(Self.everything[table], as: Scalar<UUID>.self, identity: .user(ada.id))

            #expect(seen.map(\.value) == [ada.id])
        }
    }

    @Test(arguments: everything.indices)
    func `sees nothing when it works for nobody`(table: Int) async throws {
        try await withVitals { vitals, postgres in
            _ = try await fill(vitals, for: Caller())

            #expect(try await postgres.rows(Self.everything[table], as: Scalar<UUID>.self).isEmpty)
        }
    }

    @Test func `adds no row for anybody else`() async throws {
        try await withVitals { vitals, postgres in
            let ada = Caller()
            let bob = Caller()
            let bobs = try await fill(vitals, for: bob)
            let intrusions: [Query] = [
                """
                INSERT INTO vitals.user_devices (user_id, id, device_type, platform, name, serial_number)
                VALUES (\(bob.id), \(UUID()), 'watch', 'x', 'x', 'x')
                """,
                """
                INSERT INTO vitals.vitals (user_id, id, metric, value, unit, effective_at, utc_offset_minutes, source, sequence)
                VALUES (\(bob.id), \(UUID()), '8867-4', 60, '/min', now(), 0, 'x', 1)
                """,
                """
                INSERT INTO vitals.device_timeseries (user_id, device_id, metric_type, "timestamp", sequence, value)
                VALUES (\(bob.id), \(bobs), 'ppg', now(), 1, 1)
                """,
            ]

            for intrusion in intrusions {
                let error = await #expect(throws: PostgresError.self) {
                    try await postgres.execute(intrusion, identity: .user(ada.id))
                }
                #expect(error?.code == .insufficientPrivilege)
            }
        }
    }

    @Test func `changes no device of anybody else`() async throws {
        try await withVitals { vitals, postgres in
            let bob = Caller()
            _ = try await fill(vitals, for: bob)

            let changed = try await postgres.execute(
                "UPDATE vitals.user_devices SET is_active = false WHERE user_id = \(bob.id)", identity: .user(UUID()))

            #expect(changed == 0)
        }
    }

    @Test(arguments: [
        "SELECT 1 FROM vitals.device_timeseries_default", "SELECT 1 FROM vitals.device_timeseries_2026_02",
    ] as [Query])
    func `reaches a partition through its table alone`(query: Query) async throws {
        try await withVitals { vitals, postgres in
            let ada = Caller()
            _ = try await fill(vitals, for: ada)

            let error = await #expect(throws: PostgresError.self) {
                try await postgres.execute(query, identity: .user(ada.id))
            }

            #expect(error?.code == .insufficientPrivilege)
        }
    }
}
