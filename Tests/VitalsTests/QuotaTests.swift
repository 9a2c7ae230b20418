internal import Foundation
internal import Postgres
internal import Testing
internal import Time

@testable internal import Vitals

@Suite struct `What a person may have so many of` {
    private static let day = CivilDate(year: 2026, month: 11, day: 25)

    /// Adds eight at once where there is room for one.
    ///
    /// - Parameters:
    ///   - columns: of the table, besides whose row it is and its id.
    ///   - values: of those, in the row of the number `n`.
    private func expectExact(
        _ most: Int, in table: String, _ columns: String, _ values: String, _ refusal: VitalsError,
        _ add: @escaping @Sendable (Postgres, UserID, Int) async throws -> Void
    ) async throws {
        try await withVitalsDatabase(connections: 8) { postgres in
            let user = UserID(UUID())
            try await runAsSuperuser(
                """
                INSERT INTO \(table) (user_id, id, \(columns))
                SELECT '\(user.uuid.uuidString)', gen_random_uuid(), \(values) FROM generate_series(1, \(most - 1)) AS n
                """)

            let added = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        do {
                            try await add(postgres, user, number)
                            return true
                        } catch let error as VitalsError where error == refusal {
                            return false
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }

            #expect(added == 1)
        }
    }

    @Test func `is no more devices by many who register at once`() async throws {
        try await expectExact(
            DeviceRepository.maxDevices, in: "vitals.user_devices", "device_type, platform, name, serial_number", "'watch', 'p', 'n', n::text",
            .tooManyDevices
        ) { postgres, user, number in
            let device = NewDevice(
                kind: .watch, platform: try .platform("p"), name: try .name("n"), serialNumber: try .serialNumber("new \(number)"))
            _ = try await DeviceRepository(postgres: postgres).register(device, of: user)
        }
    }

    @Test func `is no more medications by many who add at once`() async throws {
        try await expectExact(MedicationStore.maxMedications, in: "vitals.medications", "name, dosage", "'n', 'd'", .tooManyMedications) { postgres, user, _ in
            let medication = Medication(id: UUID(), name: "name", dosage: "dosage", startsOn: Self.day)
            _ = try await MedicationStore(postgres: postgres).add(medication, of: user)
        }
    }

    @Test func `is no more goals by many who make some at once`() async throws {
        try await expectExact(
            GoalStore.maxGoals, in: "vitals.user_health_goals", "goal_type, title, unit, target_value", "'weight', 't', 'kg', 1", .tooManyGoals
        ) { postgres, user, _ in
            let goal = HealthGoal(id: UUID(), goalType: .weight, title: "title", unit: "kg", targetValue: Numeric(1), startsOn: Self.day)
            _ = try await GoalStore(postgres: postgres).create(NewGoal(goal: goal, saysStart: true), of: user)
        }
    }

    @Test func `is no more records by many who make some at once`() async throws {
        try await expectExact(
            PatientRecordStore.maxRecords, in: "vitals.patient_records", "record_type, title", "'condition', 't'", .tooManyRecords
        ) { postgres, user, _ in
            let record = PatientRecord(id: UUID(), recordType: .condition, title: "title", recordedAt: morning)
            _ = try await PatientRecordStore(postgres: postgres).create(NewPatientRecord(record: record, saysWhen: true), of: user)
        }
    }
}
