internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Users

@Suite struct `What becomes of an appointment` {
    private static let moves: [(AppointmentMove, Appointment.Status, hasBegun: Bool, Appointment.Status)] = [
        (.confirm, .requested, false, .confirmed), (.reschedule, .confirmed, false, .confirmed),
        (.cancel, .requested, false, .cancelled), (.cancel, .confirmed, false, .cancelled),
        (.complete, .confirmed, true, .completed), (.complete, .checkedIn, true, .completed), (.complete, .inProgress, true, .completed),
        (.markNoShow, .confirmed, true, .noShow), (.markNoShow, .checkedIn, true, .noShow),
    ]
    private static let repetitions: [AppointmentMove: Appointment.Status] = [
        .confirm: .confirmed, .cancel: .cancelled, .complete: .completed, .markNoShow: .noShow,
    ]
    private static let statuses: [Appointment.Status] = [
        .requested, .confirmed, .checkedIn, .inProgress, .completed, .cancelled, .noShow, .rescheduled, .expired,
    ]

    @Test func `is what the table of moves says, and every other move is refused`() {
        for move in AppointmentMove.allCases {
            for status in Self.statuses {
                for hasBegun in [false, true] {
                    let known = Self.moves.first { $0.0 == move && $0.1 == status && $0.hasBegun == hasBegun }
                    let result = Result { () throws(AppointmentError) in try status.after(move, hasBegun: hasBegun) }
                    if let known {
                        #expect(result == .success(known.3), "\(move) \(status)")
                    } else if Self.repetitions[move] == status {
                        #expect(result == .success(nil), "\(move) \(status)")
                    } else {
                        guard case .failure(let error) = result else {
                            Issue.record("\(move) of \(status) is let through")
                            continue
                        }
                        #expect(error.rpcError.code == .failedPrecondition)
                    }
                }
            }
        }
    }
}

@Suite(.timeLimit(.minutes(3))) struct `An appointment` {
    @Test func `that is confirmed stands in the calendar and has a reminder, which go along when it is moved and end when it is cancelled`() async throws {
        try await withClinic { clinic in
            let provider = try await Clinic.provider()
            let ada = try await clinic.users.newcomer()
            let held = try await clinic.hold(Clinic.request(provider, reminder: 60), ada)
            #expect(held.status == .held && held.version == 1 && held.confirmationCode.count == 12)
            #expect(try await clinic.entries(ada).isEmpty)
            #expect(try await clinic.reminders(ada).isEmpty)

            let confirmed = try await clinic.confirm(held, ada)
            #expect(confirmed.status == .confirmed && confirmed.confirmedAt != nil && confirmed.holdExpiresAt == nil && confirmed.version == 2)
            #expect(try await clinic.confirm(held, ada) == confirmed)
            let entry = try #require(try await clinic.entries(ada).first)
            #expect(entry.id == held.id && entry.appointmentId == held.id && entry.status == .confirmed && entry.version == 1)
            #expect(entry.title == "Appointment with Dr. Grace Hopper" && entry.location == "Clinic, Berlin")
            #expect(entry.startsAt == held.startsAt && entry.endsAt == held.endsAt)
            let reminder = try #require(try await clinic.reminders(ada).first)
            #expect(reminder.kind == .appointmentReminder && reminder.status == .pending)
            #expect(reminder.scheduledAt == Clinic.slot().lowerBound - .seconds(3_600))
            #expect(reminder.body.hasPrefix("With Dr. Grace Hopper on ") && reminder.body.hasSuffix(" 09:00 (UTC)."))

            let time = Clinic.slot(2)
            let move = UsersV1.RescheduleAppointmentRequest(
                appointmentId: held.id, startsAt: .init(time.lowerBound), endsAt: .init(time.upperBound), expectedVersion: 2)
            let moved = try #require(try await clinic.service.rescheduleAppointment(move, context: ada).appointment)
            #expect(moved.startsAt == .init(time.lowerBound) && moved.version == 3 && moved.status == .confirmed)
            #expect(try await clinic.service.rescheduleAppointment(move, context: ada).appointment == moved)
            #expect(try await clinic.entries(ada).map(\.startsAt) == [moved.startsAt])
            #expect(try await clinic.entries(ada).map(\.version) == [2])
            var reminders = try await clinic.reminders(ada)
            #expect(reminders.map(\.status) == [.pending, .cancelled])
            #expect(reminders[0].scheduledAt == time.lowerBound - .seconds(3_600))

            let cancelled = try await clinic.cancel(held, ada)
            #expect(cancelled.status == .cancelled && cancelled.cancelledAt != nil && cancelled.cancellationReason == "better")
            #expect(try await clinic.cancel(held, ada) == cancelled)
            #expect(try await clinic.entries(ada).map(\.status) == [.cancelled])
            // The job of a reminder that was cancelled comes all the same, and sends nothing.
            let user = UserID(try ada.caller().userID)
            for reminder in reminders {
                #expect(try await clinic.users.postgres.execute(.markSent(reminder.id, of: user), identity: .user(user.uuid)) == 0)
            }
            reminders = try await clinic.reminders(ada)
            #expect(reminders.map(\.status) == [.cancelled, .cancelled])
            #expect(try await Clinic.psql("SELECT count(*) FROM users.outbox WHERE aggregate_id IN ('\(reminders[0].id)', '\(reminders[1].id)')") == "2")
            // Both times are free again.
            for slot in [Clinic.slot(), time] { _ = try await clinic.hold(Clinic.request(provider, slot), clinic.users.newcomer()) }
        }
    }

    @Test func `is not moved to where somebody else is, nor by whoever read an older one`() async throws {
        try await withClinic { clinic in
            let provider = try await Clinic.provider()
            let (ada, bob) = (try await clinic.users.newcomer(), try await clinic.users.newcomer())
            _ = try await clinic.hold(Clinic.request(provider, Clinic.slot(1)), bob)
            let held = try await clinic.hold(Clinic.request(provider), ada)
            func move(_ time: Range<Instant>, _ version: Int64? = nil) -> UsersV1.RescheduleAppointmentRequest {
                .init(appointmentId: held.id, startsAt: .init(time.lowerBound), endsAt: .init(time.upperBound), expectedVersion: version)
            }
            await expect(.failedPrecondition) { try await clinic.service.rescheduleAppointment(move(Clinic.slot(2)), context: ada) }
            let confirmed = try await clinic.confirm(held, ada)

            await expect(.alreadyExists) { try await clinic.service.rescheduleAppointment(move(Clinic.slot(1)), context: ada) }
            await expect(.aborted) { try await clinic.service.rescheduleAppointment(move(Clinic.slot(2), 1), context: ada) }
            await expect(.failedPrecondition) { try await clinic.service.rescheduleAppointment(move(Clinic.slot(16)), context: ada) }
            await expect(.notFound) { try await clinic.service.rescheduleAppointment(move(Clinic.slot(2)), context: bob) }
            #expect(try await clinic.find(held, ada) == confirmed)
            // Into what it takes itself.
            let longer = try await clinic.service.rescheduleAppointment(
                move(Clinic.slot(2).lowerBound..<Clinic.slot(3).upperBound), context: ada)
            let shorter = try await clinic.service.rescheduleAppointment(move(Clinic.slot(3)), context: ada)
            #expect(longer.appointment?.version == 3 && shorter.appointment?.version == 4)
        }
    }

    @Test func `took place or was missed once it has begun, and is then as it is`() async throws {
        try await withClinic { clinic in
            let provider = try await Clinic.provider()
            let ada = try await clinic.users.newcomer()
            let user = try ada.caller().userID.text
            var ids: [String] = []
            for number in 0..<2 { ids.append(try await clinic.confirm(clinic.hold(Clinic.request(provider, Clinic.slot(number)), ada), ada).id) }
            func complete(_ id: String) async throws -> UsersV1.Appointment? {
                try await clinic.service.completeAppointment(.init(userId: user, appointmentId: id), context: ada).appointment
            }
            func miss(_ id: String) async throws -> UsersV1.Appointment? {
                try await clinic.service.markNoShow(.init(userId: user, appointmentId: id), context: ada).appointment
            }
            for id in ids {
                await expect(.failedPrecondition) { try await complete(id) }
                await expect(.failedPrecondition) { try await miss(id) }
            }
            try await Clinic.psql(
                "UPDATE users.appointments SET starts_at = starts_at - interval '4 days', ends_at = ends_at - interval '4 days' WHERE user_id = '\(user)'")

            let completed = try await complete(ids[0])
            let missed = try await miss(ids[1])

            #expect(completed?.status == .completed && completed?.completedAt != nil)
            #expect(missed?.status == .noShow)
            #expect(try await complete(ids[0]) == completed)
            #expect(try await miss(ids[1]) == missed)
            await expect(.failedPrecondition) { try await miss(ids[0]) }
            for id in ids {
                await expect(.failedPrecondition) {
                    try await clinic.service.cancelAppointment(.init(appointmentId: id), context: ada)
                }
            }
            #expect(try await clinic.entries(ada).map(\.status) == [.done, .done])
            await expect(.notFound) {
                try await clinic.service.completeAppointment(.init(userId: UUID().text, appointmentId: ids[0]), context: ada)
            }
            await expect(.invalidArgument, fields: ["user_id", "appointment_id"]) {
                try await clinic.service.markNoShow(.init(), context: ada)
            }
        }
    }

    @Test func `is its person's alone`() async throws {
        try await withClinic { clinic in
            let provider = try await Clinic.provider()
            let (ada, bob) = (try await clinic.users.newcomer(), try await clinic.users.newcomer())
            let held = try await clinic.hold(Clinic.request(provider), ada)

            await expect(.notFound) { try await clinic.find(held, bob) }
            await expect(.notFound) { try await clinic.confirm(held, bob) }
            await expect(.notFound) { try await clinic.cancel(held, bob) }
            #expect(try await clinic.service.listAppointments(.init(), context: bob).appointments.isEmpty)
            #expect(try await clinic.find(held, ada) == held)
        }
    }

    @Test func `is listed with the others, the latest first, in pages and by what is asked`() async throws {
        try await withClinic { clinic in
            let provider = try await Clinic.provider()
            let ada = try await clinic.users.newcomer()
            var appointments: [UsersV1.Appointment] = []
            for number in [2, 0, 4, 1, 3] {
                appointments.append(try await clinic.confirm(clinic.hold(Clinic.request(provider, Clinic.slot(number)), ada), ada))
            }
            _ = try await clinic.cancel(appointments[0], ada)
            func starts(_ request: UsersV1.ListAppointmentsRequest) async throws -> [GoogleProtobuf.Timestamp?] {
                var (starts, token): ([GoogleProtobuf.Timestamp?], String) = ([], "")
                repeat {
                    var request = request
                    request.pageSize = 2
                    request.pageToken = token
                    let page = try await clinic.service.listAppointments(request, context: ada)
                    #expect(page.appointments.count <= 2)
                    starts += page.appointments.map(\.startsAt)
                    token = page.nextPageToken
                } while !token.isEmpty
                return starts
            }
            func at(_ numbers: [Int]) -> [GoogleProtobuf.Timestamp?] { numbers.map { .init(Clinic.slot($0).lowerBound) } }

            #expect(try await starts(.init()) == at([4, 3, 2, 1, 0]))
            #expect(try await starts(.init(statuses: [.confirmed])) == at([4, 3, 1, 0]))
            #expect(try await starts(.init(statuses: [.cancelled, .held])) == at([2]))
            #expect(try await starts(.init(startAt: at([1])[0], endAt: at([3])[0])) == at([2, 1]))
            let page = try await clinic.service.listAppointments(.init(pageSize: 1), context: ada)
            await expect(.invalidArgument, fields: ["page_token"]) {
                try await clinic.service.listAppointments(.init(statuses: [.held], pageSize: 1, pageToken: page.nextPageToken), context: ada)
            }
            await expect(.invalidArgument, fields: ["statuses[1]", "page_size", "end_at"]) {
                try await clinic.service.listAppointments(
                    .init(statuses: [.held, .unspecified], startAt: at([1])[0], endAt: at([0])[0], pageSize: -1), context: ada)
            }
        }
    }
}
