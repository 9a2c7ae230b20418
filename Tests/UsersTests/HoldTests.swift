internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Users

@Suite(.timeLimit(.minutes(3))) struct `A time with a provider` {
    @Test func `is had by one of two hundred who want it at once in two replicas, and the others hear what is free`() async throws {
        try await withClinic { clinic in
            try await withClinic { other in
                let provider = try await Clinic.provider()
                var people: [RPCContext] = []
                for _ in 0..<200 { people.append(try await clinic.users.newcomer()) }

                let outcomes = await withTaskGroup(of: RPCError?.self) { group in
                    for (number, person) in people.enumerated() {
                        group.addTask { await refusal { try await (number % 2 == 0 ? clinic : other).hold(Clinic.request(provider), person) } }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }

                let refused = outcomes.compactMap(\.self)
                #expect(refused.count == 199)
                #expect(refused.allSatisfy { $0.code == .alreadyExists })
                for answer in refused {
                    let next = try #require(answer.detail(UsersV1.NextFreeSlots.self)?.slots)
                    #expect(next.map(\.startsAt) == (1...5).map { .init(Clinic.slot($0).lowerBound) })
                    let wait = try #require(answer.detail(GoogleRPC.RetryInfo.self)?.retryDelay?.seconds)
                    #expect((1...301).contains(wait))
                }
                #expect(try await Clinic.psql("SELECT count(*) FROM users.appointments WHERE provider_id = '\(provider)'") == "1")
            }
        }
    }

    @Test func `is free again by itself when it was held for too long, and cannot be confirmed any more`() async throws {
        try await withClinic(holdLife: .seconds(2)) { clinic in
            let provider = try await Clinic.provider()
            let (ada, bob) = (try await clinic.users.newcomer(), try await clinic.users.newcomer())
            let (late, lost) = (
                try await clinic.hold(Clinic.request(provider, Clinic.slot(4)), ada), try await clinic.hold(Clinic.request(provider), ada)
            )
            await expect(.alreadyExists) { try await clinic.hold(Clinic.request(provider), bob) }
            try await Task.sleep(for: .milliseconds(2_100))

            let free = try await clinic.providers.listFreeSlots(
                .init(providerId: provider.text, startAt: .init(Clinic.slot().lowerBound), endAt: .init(Clinic.slot(2).lowerBound)), context: bob)
            let taken = try await clinic.hold(Clinic.request(provider), bob)

            #expect(free.slots.count == 2)
            #expect(taken.status == .held)
            for expired in [late, lost] {
                let found = try await clinic.find(expired, ada)
                #expect(found.status == .expired && found.holdExpiresAt == expired.holdExpiresAt && found.cancelledAt == nil)
                let answer = await refusal { try await clinic.confirm(expired, ada) }
                #expect(answer?.code == .failedPrecondition)
                #expect(answer?.detail(GoogleRPC.ErrorInfo.self)?.reason == "HOLD_EXPIRED")
            }
            // Who wanted the time has noted it; nobody has for the other, and it is told the same.
            #expect(
                try await Clinic.psql("SELECT status FROM users.appointments WHERE id IN ('\(late.id)', '\(lost.id)') ORDER BY status") == "cancelled\nrequested")
            let listed = try await clinic.service.listAppointments(.init(statuses: [.expired]), context: ada)
            #expect(listed.appointments.map(\.id) == [late.id, lost.id])
            #expect(try await clinic.service.listAppointments(.init(statuses: [.held]), context: ada).appointments.isEmpty)
        }
    }

    @Test func `is held once, however often it is asked for under the same id`() async throws {
        try await withClinic { clinic in
            let (provider, other) = (try await Clinic.provider(), try await Clinic.provider())
            let ada = try await clinic.users.newcomer()
            let request = Clinic.request(provider)

            let held = try await withThrowingTaskGroup(of: UsersV1.Appointment.self) { group in
                for _ in 0..<20 { group.addTask { try await clinic.hold(request, ada) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let confirmed = try await clinic.confirm(held[0], ada)
            let again = try await clinic.hold(request, ada)

            #expect(Set(held.map(\.id)).count == 1)
            #expect(again == confirmed)
            var changed = request
            changed.reason = "something else"
            for wrong in [changed, Clinic.request(other, clientID: request.clientId), Clinic.request(provider, Clinic.slot(1), clientID: request.clientId)] {
                let answer = await refusal { try await clinic.hold(wrong, ada) }
                #expect(answer?.detail(GoogleRPC.ErrorInfo.self)?.reason == "ID_REUSED")
            }
            // Somebody else's app may count the same way.
            _ = try await clinic.hold(Clinic.request(other, clientID: request.clientId), clinic.users.newcomer())
        }
    }

    @Test func `lies on the slots of the provider's hours, ahead, and within a year`() async throws {
        try await withClinic { clinic in
            let provider = try await Clinic.provider()
            let ada = try await clinic.users.newcomer()
            let (slot, minute) = (Clinic.slot(), Duration.seconds(60))
            let outside: [Range<Instant>] = [
                (slot.lowerBound - minute * 30)..<slot.lowerBound, (slot.lowerBound + minute * 15)..<(slot.upperBound + minute * 15),
                slot.lowerBound..<(slot.upperBound - minute * 10), Clinic.slot(5).lowerBound..<Clinic.slot(8).upperBound, Clinic.slot(16),
            ]
            for time in outside {
                let answer = await refusal { try await clinic.hold(Clinic.request(provider, time), ada) }
                #expect(answer?.detail(GoogleRPC.ErrorInfo.self)?.reason == "OUTSIDE_HOURS")
                #expect(answer?.detail(UsersV1.NextFreeSlots.self)?.slots.count == 5)
            }
            let past = await refusal { try await clinic.hold(Clinic.request(provider, Clinic.slot(daysAhead: -1)), ada) }
            #expect(past?.detail(GoogleRPC.ErrorInfo.self)?.reason == "IN_THE_PAST")
            let far = await refusal { try await clinic.hold(Clinic.request(provider, Clinic.slot(daysAhead: 367)), ada) }
            #expect(far?.detail(GoogleRPC.ErrorInfo.self)?.reason == "TOO_FAR_AHEAD")
            var video = Clinic.request(provider)
            video.telehealth = true
            await expect(.failedPrecondition) { try await clinic.hold(video, ada) }
            await expect(.notFound) { try await clinic.hold(Clinic.request(UUID()), ada) }
            try await Clinic.psql("UPDATE users.providers SET is_active = false WHERE id = '\(provider)'")
            await expect(.notFound) { try await clinic.hold(Clinic.request(provider), ada) }

            // Several slots in a row are one appointment.
            let offering = try await Clinic.provider(telehealth: true)
            var long = Clinic.request(offering, Clinic.slot(1).lowerBound..<Clinic.slot(3).upperBound)
            long.telehealth = true
            let held = try await clinic.hold(long, ada)
            #expect(held.telehealth && held.timeZone == "UTC")
            await expect(.alreadyExists) { try await clinic.hold(Clinic.request(offering, Clinic.slot(2)), ada) }
            _ = try await clinic.hold(Clinic.request(offering, Clinic.slot(4)), ada)
        }
    }

    @Test func `is paid by a policy of the person's own, at a provider who takes one`() async throws {
        try await withClinic { clinic in
            let provider = try await Clinic.provider()
            let (ada, bob) = (try await clinic.users.newcomer(), try await clinic.users.newcomer())
            let records = RecordsService(postgres: clinic.users.postgres)
            let policy = UUID().text
            _ = try await records.createInsurance(
                .init(id: policy, insurer: "Insurer", policyNumber: "1", holderName: "Ada", validFrom: "2026-01-01"), context: ada)
            func request(_ slot: Int, at provider: UUID = provider) -> UsersV1.HoldAppointmentRequest {
                var request = Clinic.request(provider, Clinic.slot(slot))
                request.insuranceId = policy
                return request
            }

            let wish = request(0)
            let held = try await clinic.hold(wish, ada)
            #expect(held.insuranceId == policy)
            await expect(.notFound) { try await clinic.hold(request(1), bob) }
            try await Clinic.psql("UPDATE users.providers SET accepts_insurance = false WHERE id = '\(provider)'")
            await expect(.failedPrecondition) { try await clinic.hold(request(1), ada) }
            // What was held stays, and is answered with again, also when the policy is taken out.
            #expect(try await clinic.hold(wish, ada) == held)
            _ = try await records.deleteInsurance(.init(insuranceId: policy), context: ada)
            #expect(try await clinic.hold(wish, ada).insuranceId == nil)
            #expect(try await clinic.find(held, ada).version == held.version)
        }
    }

    @Test func `is held by nobody who holds three, until one is confirmed`() async throws {
        try await withClinic { clinic in
            let provider = try await Clinic.provider()
            let ada = try await clinic.users.newcomer()

            let outcomes = await withTaskGroup(of: RPCError?.self) { group in
                for number in 0..<6 { group.addTask { await refusal { try await clinic.hold(Clinic.request(provider, Clinic.slot(number)), ada) } } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let held = try await clinic.service.listAppointments(.init(), context: ada).appointments
            #expect(outcomes.count { $0 == nil } == 3)
            #expect(outcomes.compactMap(\.self).allSatisfy { $0.code == .resourceExhausted })

            _ = try await clinic.confirm(held[0], ada)
            _ = try await clinic.cancel(held[1], ada)
            for number in 9..<11 { _ = try await clinic.hold(Clinic.request(provider, Clinic.slot(number)), ada) }
        }
    }

    @Test func `is asked for with every field right, and each that is wrong is named`() async throws {
        try await withClinic { clinic in
            let ada = try await clinic.users.newcomer()
            await expect(.invalidArgument, fields: ["client_id", "provider_id", "starts_at", "ends_at", "type", "reason"]) {
                try await clinic.service.holdAppointment(.init(), context: ada)
            }
            var request = Clinic.request(UUID())
            request.endsAt = request.startsAt
            request.reason = "\u{0}"
            request.reminderMinutes = 40_321
            request.type = .unrecognized(99)
            request.clientId = String(repeating: "x", count: 129)
            await expect(.invalidArgument, fields: ["ends_at", "reason", "reminder_minutes", "type", "client_id"]) {
                try await clinic.service.holdAppointment(request, context: ada)
            }
            await expect(.notFound) { try await clinic.service.holdAppointment(Clinic.request(UUID()), context: context(of: UUID())) }
            await expect(.notFound) {
                try await clinic.service.holdAppointment(Clinic.request(Clinic.provider()), context: context(of: UUID()))
            }
        }
    }

    @Test func `is refused by the table even to whoever passes the lock`() async throws {
        try await withClinic { clinic in
            let provider = try await Clinic.provider()
            let ada = try await clinic.users.newcomer()
            _ = try await clinic.hold(Clinic.request(provider), ada)
            let time = Clinic.slot()
            let rival = Appointment(
                id: UUIDv7.make(), providerID: provider, appointmentType: .test, status: .confirmed, startsAt: time.lowerBound,
                endsAt: time.upperBound, reason: "r", confirmationCode: "AAAAAA\(Int.random(in: 1_000...9_999))", paidAmount: Numeric(0))

            let error = await #expect(throws: PostgresError.self) {
                try await AppointmentRepository(postgres: clinic.users.postgres).insert(rival, of: UserID(try ada.caller().userID))
            }

            #expect(error?.code == .exclusionViolation)
        }
    }
}
