internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Users

/// One for those who are booked: providers are everybody's.
private let clinicDatabase = Once<PostgresConfiguration> { try await makeDatabase("users_appointment_tests") }

/// The services around appointments, and providers that no other test has.
struct Clinic {
    let users: UsersStand
    let service: AppointmentsService
    let providers: ProvidersService
    let calendar: CalendarService

    init(_ users: UsersStand, holdLife: Duration = .seconds(300)) {
        self.users = users
        service = AppointmentsService(appointments: Appointments(postgres: users.postgres, holdLife: holdLife))
        providers = ProvidersService(providers: ProviderRepository(postgres: users.postgres))
        calendar = CalendarService(calendar: PersonalCalendar(postgres: users.postgres))
    }

    /// What psql prints, as the superuser, for whom no policy holds.
    @discardableResult
    static func psql(_ sql: String) async throws -> String {
        try await PostgresServer.shared.psql(sql, database: try await clinicDatabase.value.database)
    }

    /// A new provider whose hours are in UTC from nine to twelve and from one to five each day, in slots of half an hour.
    static func provider(
        _ name: String = "Grace Hopper", zone: String = "UTC", hours: [(String, String)] = [("09:00", "12:00"), ("13:00", "17:00")],
        slotMinutes: Int = 30, telehealth: Bool = false
    ) async throws -> UUID {
        let id = UUIDv7.make()
        let rows = hours.map { "('\($0.0)'::time, '\($0.1)'::time)" }.joined(separator: ", ")
        try await psql(
            """
            INSERT INTO users.providers (id, name, title, specialty, time_zone, clinic, city, offers_telehealth)
                VALUES ('\(id)', '\(name)', 'Dr.', 'cardiology', '\(zone)', 'Clinic', 'Berlin', \(telehealth));
            INSERT INTO users.provider_availability (provider_id, id, weekday, opens_at, closes_at, slot_minutes)
                SELECT '\(id)', gen_random_uuid(), day, opens, closes, \(slotMinutes)
                FROM generate_series(1, 7) AS day, (VALUES \(rows)) AS hours (opens, closes);
            """)
        return id
    }

    /// The beginning of the first slot of a day some days ahead, and those behind it.
    static func slot(_ number: Int = 0, daysAhead days: Int64 = 3) -> Range<Instant> {
        let day = Instant.now().microsecondsSinceEpoch / 86_400_000_000 + days
        let start = Instant(microsecondsSinceEpoch: day * 86_400_000_000) + .seconds(9 * 3_600 + Int64(number) * 1_800)
        return start..<(start + .seconds(1_800))
    }

    static func request(
        _ provider: UUID, _ time: Range<Instant> = slot(), clientID: String = UUID().uuidString, reminder: Int32? = nil
    ) -> UsersV1.HoldAppointmentRequest {
        .init(
            clientId: clientID, providerId: provider.text, startsAt: .init(time.lowerBound), endsAt: .init(time.upperBound),
            type: .consultation, reason: "palpitations", reminderMinutes: reminder)
    }

    func hold(_ request: UsersV1.HoldAppointmentRequest, _ context: RPCContext) async throws -> UsersV1.Appointment {
        try #require(try await service.holdAppointment(request, context: context).appointment)
    }

    func confirm(_ appointment: UsersV1.Appointment, _ context: RPCContext) async throws -> UsersV1.Appointment {
        try #require(try await service.confirmAppointment(.init(appointmentId: appointment.id), context: context).appointment)
    }

    func cancel(_ appointment: UsersV1.Appointment, _ context: RPCContext) async throws -> UsersV1.Appointment {
        try #require(
            try await service.cancelAppointment(.init(appointmentId: appointment.id, reason: "better"), context: context).appointment)
    }

    func find(_ appointment: UsersV1.Appointment, _ context: RPCContext) async throws -> UsersV1.Appointment {
        try #require(try await service.getAppointment(.init(appointmentId: appointment.id), context: context).appointment)
    }

    func entries(_ context: RPCContext) async throws -> [UsersV1.CalendarEvent] {
        try await calendar.listCalendarEvents(.init(includeCancelled: true), context: context).events
    }

    /// What a person is told and when, whether it was sent or not.
    func reminders(_ context: RPCContext) async throws -> [UserNotification] {
        let user = UserID(try context.caller().userID)
        return try await UserNotificationRepository(postgres: users.postgres).list(of: user, limit: 100)
    }
}

/// Lends the services over a pool of the service's own role.
func withClinic(holdLife: Duration = .seconds(300), _ body: (Clinic) async throws -> Void) async throws {
    try await withUsers(in: clinicDatabase) { users in try await body(Clinic(users, holdLife: holdLife)) }
}

/// What a call was refused with.
func refusal(_ call: () async throws -> some Sendable) async -> RPCError? {
    do {
        _ = try await call()
        return nil
    } catch {
        return RPCError.answering(error)
    }
}
