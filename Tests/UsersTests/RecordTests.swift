internal import Application
internal import Foundation
internal import Postgres
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

/// Each table's record is what was put in, and nobody else's.
@Suite struct `The records` {
    private func withPeople(_ body: (Postgres, _ ada: UserID, _ bob: UserID) async throws -> Void) async throws {
        try await withUsers { users in
            let ada = try await users.claims(users.register(Person())).subject
            let bob = try await users.claims(users.register(Person())).subject
            try await body(users.postgres, UserID(ada), UserID(bob))
        }
    }

    @Test func `of emergency contacts are kept for their person alone`() async throws {
        try await withPeople { postgres, ada, bob in
            let records = EmergencyContactRepository(postgres: postgres)
            let record = EmergencyContact(
                id: UUIDv7.make(), name: "name", relationship: .spouse, phone: "phone")

            try await records.expectKept(record, id: record.id, of: ada, hiddenFrom: bob)
            #expect(try await records.replace(record, of: bob) == false)
            #expect(try await records.replace(record, of: ada))
            try await records.expectRemovable(record.id, of: ada, notBy: bob)
        }
    }

    @Test func `of insurance info are kept for their person alone`() async throws {
        try await withPeople { postgres, ada, bob in
            let records = InsuranceInfoRepository(postgres: postgres)
            let record = InsuranceInfo(
                id: UUIDv7.make(), insurer: "insurer", policyNumber: "policy number", holderName: "holder name",
                validFrom: CivilDate(year: 2026, month: 11, day: 25))

            try await records.expectKept(record, id: record.id, of: ada, hiddenFrom: bob)
            #expect(try await records.replace(record, of: bob) == false)
            #expect(try await records.replace(record, of: ada))
            try await records.expectRemovable(record.id, of: ada, notBy: bob)
        }
    }

    @Test func `of appointments are kept for their person alone`() async throws {
        try await withPeople { postgres, ada, bob in
            let records = AppointmentRepository(postgres: postgres)
            var record = Appointment(
                id: UUIDv7.make(),
                providerID: try #require(UUID(uuidString: "01890000-0000-7000-8000-000000000001")),
                appointmentType: .consultation,
                startsAt: Instant(microsecondsSinceEpoch: 1_800_000_000_000_000),
                endsAt: Instant(microsecondsSinceEpoch: 1_800_001_800_000_000), reason: "reason",
                confirmationCode: "ABC123", paidAmount: try #require(Numeric("0.50")))

            try await records.expectKept(record, id: record.id, of: ada, hiddenFrom: bob)
            #expect(try await records.replace(record, of: bob) == false)
            #expect(try await records.replace(record, of: ada))
            #expect(try await records.replace(record, of: ada) == false)
            record.version += 1
            #expect(try await records.find(record.id, of: ada) == record)
        }
    }

    @Test func `of calendar events are kept for their person alone`() async throws {
        try await withPeople { postgres, ada, bob in
            let records = CalendarEventRepository(postgres: postgres)
            let record = CalendarEvent(
                id: UUIDv7.make(), kind: .appointment, title: "title",
                startsAt: Instant(microsecondsSinceEpoch: 1_800_000_000_000_000),
                endsAt: Instant(microsecondsSinceEpoch: 1_800_001_800_000_000))

            try await records.expectKept(record, id: record.id, of: ada, hiddenFrom: bob)
            #expect(try await records.replace(record, of: bob) == false)
            #expect(try await records.replace(record, of: ada))
            try await records.expectRemovable(record.id, of: ada, notBy: bob)
        }
    }

    @Test func `of push devices are kept for their person alone`() async throws {
        try await withPeople { postgres, ada, bob in
            let records = PushDeviceRepository(postgres: postgres)
            let record = PushDevice(
                id: UUIDv7.make(), platform: .ios, pushToken: "push token",
                lastSeenAt: Instant(microsecondsSinceEpoch: 1_800_000_000_000_000))

            try await records.expectKept(record, id: record.id, of: ada, hiddenFrom: bob)
            #expect(try await records.replace(record, of: bob) == false)
            #expect(try await records.replace(record, of: ada))
            try await records.expectRemovable(record.id, of: ada, notBy: bob)
        }
    }

    @Test func `of notifications are kept for their person alone`() async throws {
        try await withPeople { postgres, ada, bob in
            let records = UserNotificationRepository(postgres: postgres)
            let record = UserNotification(
                id: UUIDv7.make(), kind: .healthAlert, channel: .push, title: "title",
                scheduledAt: Instant(microsecondsSinceEpoch: 1_800_000_000_000_000))

            try await records.expectKept(record, id: record.id, of: ada, hiddenFrom: bob)
            #expect(try await records.replace(record, of: bob) == false)
            #expect(try await records.replace(record, of: ada))
        }
    }

    @Test func `of providers are five, with their hours, and what is taken of them`() async throws {
        try await withPeople { postgres, ada, bob in
            let providers = ProviderRepository(postgres: postgres)
            let found = try await providers.list(.electrophysiology, limit: 10)
            let provider = try #require(found.first)
            #expect(found.count == 1)
            #expect(try await providers.find(provider.id) == provider)
            let hours = try await providers.hours(of: provider.id, on: CivilDate(year: 2026, month: 11, day: 25))
            #expect(hours.count == 10)
            #expect(hours.first?.weekday == 1 && hours.first?.opensAtMinute == 540 && hours.first?.closesAtMinute == 720)

            let start = Instant(microsecondsSinceEpoch: 1_900_000_000_000_000)
            let appointment = Appointment(
                id: UUIDv7.make(), providerID: provider.id, appointmentType: .consultation, startsAt: start,
                endsAt: start + .seconds(1_800), reason: "reason", confirmationCode: "PROV01",
                paidAmount: try #require(Numeric("0.00")))
            try await AppointmentRepository(postgres: postgres).insert(appointment, of: ada)
            var second = appointment
            second.id = UUIDv7.make()
            second.confirmationCode = "PROV02"
            second.startsAt = start + .seconds(900)
            let error = await #expect(throws: PostgresError.self) {
                try await AppointmentRepository(postgres: postgres).insert(second, of: bob)
            }

            #expect(error?.code == .exclusionViolation)
            #expect(try await providers.appointments(with: provider.id, of: ada, limit: 10) == [appointment])
            #expect(try await providers.appointments(with: provider.id, of: bob, limit: 10) == [])
            #expect(
                try await providers.bookings(of: provider.id, from: start, to: start + .seconds(3_600))
                    == [ProviderBooking(startsAt: start, endsAt: start + .seconds(1_800))])
        }
    }

    @Test func `of preferences are set and set again`() async throws {
        try await withPeople { postgres, ada, bob in
            let preferences = PreferenceRepository(postgres: postgres)
            let units = Preference(category: "display", key: "units", value: JSONB(#""metric""#))
            let theme = Preference(category: "display", key: "theme", value: JSONB(#"{"dark": true}"#), version: 2)

            try await preferences.set([units, Preference(category: "display", key: "theme", value: JSONB("1"))], of: ada)
            try await preferences.set([theme], of: ada)

            #expect(try await preferences.list(of: ada, limit: 9) == [theme, units])
            #expect(try await preferences.list(of: bob, limit: 9) == [])
            #expect(try await preferences.remove("units", in: "display", of: bob) == false)
            #expect(try await preferences.remove("units", in: "display", of: ada))
        }
    }
}
