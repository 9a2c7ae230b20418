internal import Application
internal import Contracts
internal import RPC
internal import Time

/// The methods of `heartguard.users.v1.CalendarService`: each parses its request, does one thing and answers.
struct CalendarService: Sendable {
    let calendar: PersonalCalendar
}

extension CalendarService: UsersV1.CalendarServiceProtocol {
    func listCalendarEvents(
        _ request: UsersV1.ListCalendarEventsRequest, context: RPCContext
    ) async throws -> UsersV1.ListCalendarEventsResponse {
        let caller = try context.caller()
        let list = try CalendarList(request)
        // One more than asked for tells whether there is a next page.
        let found = try await calendar.list(
            of: UserID(caller.userID), in: list.period, withCancelled: list.withCancelled, behind: list.place, limit: list.size + 1)
        return list.page(found)
    }

    func createCalendarEvent(
        _ request: UsersV1.CreateCalendarEventRequest, context: RPCContext
    ) async throws -> UsersV1.CreateCalendarEventResponse {
        let caller = try context.caller()
        let (entry, clientID) = try request.parsed()
        let made = try await calendar.make(entry, clientID, of: UserID(caller.userID))
        return UsersV1.CreateCalendarEventResponse(event: .init(made))
    }

    func updateCalendarEvent(
        _ request: UsersV1.UpdateCalendarEventRequest, context: RPCContext
    ) async throws -> UsersV1.UpdateCalendarEventResponse {
        let caller = try context.caller()
        let (id, change) = try request.parsed()
        let changed = try await calendar.update(
            id, of: UserID(caller.userID), expectedVersion: request.expectedVersion, change.applied(to:))
        return UsersV1.UpdateCalendarEventResponse(event: .init(changed))
    }

    func deleteCalendarEvent(
        _ request: UsersV1.DeleteCalendarEventRequest, context: RPCContext
    ) async throws -> UsersV1.DeleteCalendarEventResponse {
        let caller = try context.caller()
        try await calendar.remove(try request.parsed(), of: UserID(caller.userID))
        return UsersV1.DeleteCalendarEventResponse()
    }

    func exportCalendar(
        _ request: UsersV1.ExportCalendarRequest, context: RPCContext
    ) async throws -> UsersV1.ExportCalendarResponse {
        let caller = try context.caller()
        let now = Instant.now()
        let events = try await calendar.export(of: UserID(caller.userID), in: try request.parsed(now: now))
        let text = ICalendar(events, now: now).text
        guard text.utf8.count <= AnswerBytes.most else { throw CalendarError.tooManyToExport }
        return UsersV1.ExportCalendarResponse(calendar: text, eventCount: Int32(clamping: events.count))
    }
}
