internal import Application
internal import Contracts
internal import Foundation
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Users

@Suite(.timeLimit(.minutes(3))) struct `A calendar` {
    private static let monday = Instant(rfc3339: "2027-03-01T08:00:00Z")!

    private static func request(
        _ title: String = "Run", at start: Instant = monday, hours: Double = 1, clientID: String = UUID().uuidString
    ) -> UsersV1.CreateCalendarEventRequest {
        .init(clientId: clientID, kind: .exercise, title: title, startsAt: .init(start), endsAt: .init(start + .seconds(hours * 3_600)))
    }

    private func make(
        _ clinic: Clinic, _ context: RPCContext, _ request: UsersV1.CreateCalendarEventRequest
    ) async throws -> UsersV1.CalendarEvent {
        try #require(try await clinic.calendar.createCalendarEvent(request, context: context).event)
    }

    @Test func `has an entry once, however often it is made under the same id`() async throws {
        try await withClinic { clinic in
            let ada = try await clinic.users.newcomer()
            let request = Self.request()

            let made = try await withThrowingTaskGroup(of: UsersV1.CalendarEvent.self) { group in
                for _ in 0..<10 { group.addTask { try await make(clinic, ada, request) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(Set(made.map(\.id)).count == 1)
            #expect(made[0].version == 1 && made[0].status == .confirmed && made[0].timeZone == "UTC")
            await expect(.alreadyExists) { try await make(clinic, ada, Self.request("Swim", clientID: request.clientId)) }
            #expect(try await clinic.entries(ada) == [made[0]])
        }
    }

    @Test func `is changed in what is set alone, and by whoever read it last`() async throws {
        try await withClinic { clinic in
            let ada = try await clinic.users.newcomer()
            var request = Self.request()
            request.description_p = "slowly"
            request.reminderMinutes = 10
            request.recurrenceRule = "FREQ=WEEKLY"
            let made = try await make(clinic, ada, request)
            func update(_ change: UsersV1.UpdateCalendarEventRequest) async throws -> UsersV1.CalendarEvent {
                var change = change
                change.eventId = made.id
                return try #require(try await clinic.calendar.updateCalendarEvent(change, context: ada).event)
            }

            let changed = try await update(.init(title: "Walk", description_p: "", reminderMinutes: -1, status: .tentative, expectedVersion: 1))
            #expect(changed.title == "Walk" && changed.description_p == nil && changed.reminderMinutes == nil && changed.status == .tentative)
            #expect(changed.version == 2 && changed.recurrenceRule == "FREQ=WEEKLY" && changed.startsAt == made.startsAt)
            #expect(try await update(.init(title: "Walk")) == changed)
            await expect(.aborted) { try await update(.init(title: "Swim", expectedVersion: 1)) }
            await expect(.invalidArgument, fields: ["ends_at"]) { try await update(.init(endsAt: .init(Self.monday - .seconds(1)))) }
            await expect(.invalidArgument, fields: ["ends_at", "update_mask"]) {
                try await update(.init(title: "Walk", updateMask: .init(paths: ["title", "ends_at", "id"])))
            }
            #expect(try await update(.init(title: "Swim", updateMask: .init(paths: ["description", "all_day"]))) == changed)
            #expect(try await clinic.entries(ada) == [changed])
            // Asked for once more under the first id, it is the entry as it is now.
            #expect(try await make(clinic, ada, request) == changed)
            let whole = try await update(
                .init(kind: .exercise, title: "Walk", startsAt: made.startsAt, endsAt: made.endsAt, updateMask: .init(paths: ["*"])))
            #expect(whole.status == .confirmed && whole.recurrenceRule == nil && whole.title == "Walk")

            let bob = try await clinic.users.newcomer()
            await expect(.notFound) { try await clinic.calendar.updateCalendarEvent(.init(eventId: made.id, title: "x"), context: bob) }
            await expect(.notFound) { try await clinic.calendar.deleteCalendarEvent(.init(eventId: made.id), context: bob) }
            _ = try await clinic.calendar.deleteCalendarEvent(.init(eventId: made.id), context: ada)
            await expect(.notFound) { try await clinic.calendar.deleteCalendarEvent(.init(eventId: made.id), context: ada) }
            #expect(try await clinic.entries(ada).isEmpty)
        }
    }

    @Test func `leaves entries of appointments to their appointments`() async throws {
        try await withClinic { clinic in
            let ada = try await clinic.users.newcomer()
            let appointment = try await clinic.confirm(clinic.hold(Clinic.request(Clinic.provider()), ada), ada)

            await expect(.failedPrecondition) {
                try await clinic.calendar.updateCalendarEvent(.init(eventId: appointment.id, title: "x"), context: ada)
            }
            await expect(.failedPrecondition) { try await clinic.calendar.deleteCalendarEvent(.init(eventId: appointment.id), context: ada) }
            #expect(try await clinic.entries(ada).map(\.title) == ["Appointment with Dr. Grace Hopper"])
        }
    }

    @Test func `is listed by time, in pages, with what may come again and without what is cancelled unless it is asked for`() async throws {
        try await withClinic { clinic in
            let ada = try await clinic.users.newcomer()
            for day in [4, 0, 2, 1, 3] {
                _ = try await make(clinic, ada, Self.request("day \(day)", at: Self.monday + .seconds(86_400 * day)))
            }
            var weekly = Self.request("weekly", at: Self.monday - .seconds(86_400 * 70))
            weekly.recurrenceRule = "FREQ=WEEKLY"
            _ = try await make(clinic, ada, weekly)
            _ = try await make(clinic, ada, Self.request("long", at: Self.monday - .seconds(86_400 * 30), hours: 31 * 24))
            let cancelled = try await make(clinic, ada, Self.request("cancelled", at: Self.monday + .seconds(60)))
            _ = try await clinic.calendar.updateCalendarEvent(.init(eventId: cancelled.id, status: .cancelled), context: ada)
            func titles(_ request: UsersV1.ListCalendarEventsRequest) async throws -> [String] {
                var (titles, token): ([String], String) = ([], "")
                repeat {
                    var request = request
                    request.pageSize = 2
                    request.pageToken = token
                    let page = try await clinic.calendar.listCalendarEvents(request, context: ada)
                    titles += page.events.map(\.title)
                    token = page.nextPageToken
                } while !token.isEmpty
                return titles
            }
            let tuesday = GoogleProtobuf.Timestamp(Self.monday + .seconds(86_400))

            #expect(try await titles(.init()) == ["weekly", "long", "day 0", "day 1", "day 2", "day 3", "day 4"])
            #expect(try await titles(.init(includeCancelled: true)).contains("cancelled"))
            #expect(try await titles(.init(startAt: .init(Self.monday), endAt: tuesday)) == ["weekly", "long", "day 0"])
            #expect(try await titles(.init(startAt: tuesday, endAt: .init(Self.monday + .seconds(86_400 * 3)))) == ["weekly", "day 1", "day 2"])
            let page = try await clinic.calendar.listCalendarEvents(.init(pageSize: 1), context: ada)
            await expect(.invalidArgument, fields: ["page_token"]) {
                try await clinic.calendar.listCalendarEvents(.init(endAt: tuesday, pageSize: 1, pageToken: page.nextPageToken), context: ada)
            }
        }
    }

    @Test func `is listed in pages that fit into an answer`() throws {
        let entries = (0..<300).map { number in
            CalendarEvent(
                id: UUIDv7.make(), kind: .other, title: "\(number)", description: String(repeating: "😀", count: 4_000),
                startsAt: Self.monday + .seconds(number), endsAt: Self.monday + .seconds(number))
        }

        let page = try CalendarList(.init(pageSize: 500)).page(entries)
        let rest = try CalendarList(.init(pageSize: 500, pageToken: page.nextPageToken))

        #expect(page.events.map(\.title) == entries.prefix(page.events.count).map(\.title) && page.events.count < 200)
        #expect(rest.place?.id == entries[page.events.count - 1].id)
    }

    @Test func `is exported with all of it, and the versions of its entries`() async throws {
        try await withClinic { clinic in
            let ada = try await clinic.users.newcomer()
            let appointment = try await clinic.confirm(clinic.hold(Clinic.request(Clinic.provider()), ada), ada)
            _ = try await make(clinic, ada, Self.request("far", at: .now() + .seconds(86_400 * 400)))
            _ = try await clinic.cancel(appointment, ada)

            let export = try await clinic.calendar.exportCalendar(.init(), context: ada)
            let far = try await clinic.calendar.exportCalendar(.init(endAt: .init(Instant.now() + .seconds(86_400 * 500))), context: ada)

            #expect(export.eventCount == 1 && far.eventCount == 2)
            for line in ["UID:\(appointment.id)@heartguard", "SEQUENCE:1", "STATUS:CANCELLED", "SUMMARY:Appointment with Dr. Grace Hopper"] {
                #expect(export.calendar.contains(line + "\r\n"))
            }
            let bob = try await clinic.users.newcomer()
            #expect(try await clinic.calendar.exportCalendar(.init(), context: bob).eventCount == 0)
        }
    }

    @Test func `has a limit, and so has what is exported at once`() async throws {
        try await withClinic { clinic in
            let ada = try await clinic.users.newcomer()
            try await Clinic.psql(
                """
                INSERT INTO users.calendar_events (user_id, id, kind, title, starts_at, ends_at)
                SELECT '\(try ada.caller().userID)', gen_random_uuid(), 'other', 't', now(), now() FROM generate_series(1, 4999)
                """)
            let last = Self.request()
            _ = try await make(clinic, ada, last)

            await expect(.resourceExhausted) { try await make(clinic, ada, Self.request()) }
            _ = try await make(clinic, ada, last)
            await expect(.failedPrecondition) { try await clinic.calendar.exportCalendar(.init(), context: ada) }
        }
    }

    @Test func `is exported as far as an answer takes it`() async throws {
        try await withClinic { clinic in
            let ada = try await clinic.users.newcomer()
            try await Clinic.psql(
                """
                INSERT INTO users.calendar_events (user_id, id, kind, title, description, starts_at, ends_at)
                SELECT '\(try ada.caller().userID)', gen_random_uuid(), 'other', 't', repeat('x', 4000), now() + n * interval '1 h', now() + n * interval '1 h'
                FROM generate_series(1, 800) AS n
                """)

            await expect(.failedPrecondition) { try await clinic.calendar.exportCalendar(.init(), context: ada) }
            let day = try await clinic.calendar.exportCalendar(.init(endAt: .init(Instant.now() + .seconds(86_400))), context: ada)
            #expect((20...24).contains(day.eventCount))
        }
    }

    @Test func `takes what makes sense, and every field that makes none is named`() async throws {
        try await withClinic { clinic in
            let ada = try await clinic.users.newcomer()
            await expect(.invalidArgument, fields: ["client_id", "kind", "title", "starts_at", "ends_at"]) {
                try await make(clinic, ada, .init())
            }
            var request = Self.request("a\nb")
            request.kind = .appointment
            request.timeZone = "Mars/Olympus"
            request.recurrenceRule = "FREQ=SECONDLY"
            request.reminderMinutes = -1
            request.description_p = String(repeating: "x", count: 4_001)
            await expect(.invalidArgument, fields: ["title", "kind", "time_zone", "recurrence_rule", "reminder_minutes", "description"]) {
                try await make(clinic, ada, request)
            }
            await expect(.invalidArgument, fields: ["ends_at"]) { try await make(clinic, ada, Self.request(hours: 31 * 24 + 1)) }
            var day = Self.request(at: Instant(rfc3339: "2027-03-27T23:00:00Z")!, hours: 23)
            day.allDay = true
            day.timeZone = "Europe/Berlin"
            // The day on which clocks go forward has 23 hours there.
            let made = try await make(clinic, ada, day)
            #expect(made.allDay)
            day.clientId = "another"
            day.endsAt = .init(Instant(rfc3339: "2027-03-28T23:00:00Z")!)
            await expect(.invalidArgument, fields: ["ends_at"]) { try await make(clinic, ada, day) }
            day.startsAt = day.endsAt
            await expect(.invalidArgument, fields: ["starts_at"]) { try await make(clinic, ada, day) }
            var rule = Self.request()
            rule.recurrenceRule = "FREQ=DAILY;UNTIL=20271231"
            await expect(.invalidArgument, fields: ["recurrence_rule"]) { try await make(clinic, ada, rule) }
            await expect(.notFound) { try await make(clinic, context(of: UUID()), Self.request()) }
        }
    }
}
