internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

extension UsersV1.CreateCalendarEventRequest {
    func parsed() throws(RPCError) -> (CalendarEntry, ClientID) {
        var violations = FieldViolations()
        let clientID = violations.value("client_id", clientId, ClientID.init(_:))
        let kind = violations.value("kind", kind, CalendarEvent.Kind.init(own:))
        let title = violations.value("title", title, CalendarEntry.title)
        let description = violations.optional("description", description_p, CalendarEntry.description)
        let location = violations.optional("location", location, CalendarEntry.location)
        let start = violations.instant("starts_at", startsAt)
        let end = violations.instant("ends_at", endsAt)
        let zone = timeZone.isEmpty ? TimeZoneName.utc : violations.value("time_zone", timeZone, TimeZoneName.init(_:))
        let rule = violations.optional("recurrence_rule", recurrenceRule, RecurrenceRule.init(_:))
        let reminder = violations.optional("reminder_minutes", reminderMinutes, ReminderLead.init(minutes:))
        let named = try violations.complete(clientID, kind, title)
        let times = try violations.complete(start, end, zone)
        let entry = CalendarEntry(
            kind: named.1, title: named.2, description: description.flatMap(\.presence), location: location.flatMap(\.presence),
            startsAt: times.0, endsAt: times.1, isAllDay: allDay, timeZone: times.2, recurrenceRule: rule?.text, reminder: reminder?.minutes)
        return (try entry.consistent(), named.0)
    }
}

/// What changes in an entry: `nil` leaves the value, `.some(nil)` removes it.
struct CalendarChange: Sendable {
    var kind: CalendarEvent.Kind?
    var title: String?
    var description: String??
    var location: String??
    var startsAt: Instant?
    var endsAt: Instant?
    var isAllDay: Bool?
    var timeZone: TimeZoneName?
    var recurrenceRule: String??
    var reminder: Int32??
    var status: CalendarEvent.Status?

    /// Throws INVALID_ARGUMENT if what comes of it makes no sense.
    func applied(to entry: CalendarEntry) throws(RPCError) -> CalendarEntry {
        try CalendarEntry(
            kind: kind ?? entry.kind, title: title ?? entry.title, description: description ?? entry.description,
            location: location ?? entry.location, startsAt: startsAt ?? entry.startsAt, endsAt: endsAt ?? entry.endsAt,
            isAllDay: isAllDay ?? entry.isAllDay, timeZone: timeZone ?? entry.timeZone,
            recurrenceRule: recurrenceRule ?? entry.recurrenceRule, reminder: reminder ?? entry.reminder, status: status ?? entry.status
        ).consistent()
    }
}

extension UsersV1.UpdateCalendarEventRequest {
    func parsed() throws(RPCError) -> (UUID, CalendarChange) {
        var violations = FieldViolations()
        let id = violations.value("event_id", eventId, UUID.init(parsing:))
        var mask = UpdateMask(updateMask)
        var change = CalendarChange()
        change.kind = violations.optional("kind", mask.value("kind", kind, empty: .unspecified), CalendarEvent.Kind.init(own:))
        change.title = violations.optional("title", mask.value("title", title, empty: ""), CalendarEntry.title)
        change.description = mask.value("description", description_p, empty: "").map {
            violations.value("description", $0, CalendarEntry.description).flatMap(\.presence)
        }
        change.location = mask.value("location", location, empty: "").map {
            violations.value("location", $0, CalendarEntry.location).flatMap(\.presence)
        }
        change.startsAt = mask.value("starts_at", startsAt, noting: &violations).flatMap { violations.instant("starts_at", $0) }
        change.endsAt = mask.value("ends_at", endsAt, noting: &violations).flatMap { violations.instant("ends_at", $0) }
        change.isAllDay = mask.value("all_day", allDay, empty: false)
        change.timeZone = violations.optional(
            "time_zone", mask.value("time_zone", timeZone, empty: TimeZoneName.utc.text), TimeZoneName.init(_:))
        change.recurrenceRule = mask.value("recurrence_rule", recurrenceRule, empty: "").map { rule in
            rule.isEmpty ? nil : violations.value("recurrence_rule", rule, RecurrenceRule.init(_:))?.text
        }
        change.reminder = mask.value("reminder_minutes", reminderMinutes, empty: -1).map { minutes in
            minutes == -1 ? nil : violations.value("reminder_minutes", minutes, ReminderLead.init(minutes:))?.minutes
        }
        change.status = violations.optional("status", mask.value("status", status, empty: .confirmed), CalendarEvent.Status.init(_:))
        mask.check(noting: &violations)
        violations.check(expectedVersion.map { $0 > 0 } ?? true, "expected_version", "A version is one or more.")
        return (try violations.complete(id), change)
    }
}

extension UsersV1.DeleteCalendarEventRequest {
    func parsed() throws(RPCError) -> UUID {
        var violations = FieldViolations()
        let id = violations.value("event_id", eventId, UUID.init(parsing:))
        return try violations.complete(id)
    }
}

extension UsersV1.ExportCalendarRequest {
    func parsed(now: Instant) throws(RPCError) -> Range<Instant> {
        var violations = FieldViolations()
        let period = violations.period(
            startAt ?? .init(now - CalendarEntry.longest), endAt ?? .init(now + .seconds(366 * 86_400)))
        return try violations.complete(period)
    }
}

extension CalendarEntry {
    static func title(_ given: String) throws(InvalidValue) -> String { try PlainText(given, characters: 1...200, lines: false).text }
    static func description(_ given: String) throws(InvalidValue) -> String { try PlainText(given, characters: 0...4_000).text }
    static func location(_ given: String) throws(InvalidValue) -> String { try PlainText(given, characters: 0...500, lines: false).text }

    fileprivate func consistent() throws(RPCError) -> CalendarEntry {
        guard let (field, reason) = contradiction() else { return self }
        throw .invalid([(field, reason.sentence())])
    }
}

extension String {
    /// `nil` for the empty text.
    fileprivate var presence: String? { isEmpty ? nil : self }
}

/// What a caller asks of `ListCalendarEvents`.
struct CalendarList {
    let period: Range<Instant>
    let withCancelled: Bool
    let size: Int
    let place: (at: Instant, id: UUID)?

    init(_ request: UsersV1.ListCalendarEventsRequest) throws(RPCError) {
        var violations = FieldViolations()
        let period = violations.period(request.startAt, request.endAt)
        let size = violations.pageSize(request.pageSize, usual: 100, most: 500)
        (self.period, self.size) = try violations.complete(period, size)
        withCancelled = request.includeCancelled
        place = try PageToken.place(request.pageToken, of: Self.query(self.period, withCancelled))
    }

    private static func query(_ period: Range<Instant>, _ withCancelled: Bool) -> [String] {
        ["calendar", "\(period.lowerBound.microsecondsSinceEpoch)", "\(period.upperBound.microsecondsSinceEpoch)", "\(withCancelled)"]
    }

    /// A page of what was read with one more than the page holds, which tells whether there is another page.
    func page(_ read: [CalendarEvent]) -> UsersV1.ListCalendarEventsResponse {
        let (page, next) = PageToken.page(read, of: size, telling: { UsersV1.CalendarEvent($0) }) {
            PageToken(of: Self.query(period, withCancelled), behind: $0.startsAt, $0.id)
        }
        return UsersV1.ListCalendarEventsResponse(events: page, nextPageToken: next)
    }
}

extension UsersV1.CalendarEvent {
    init(_ event: CalendarEvent) {
        self.init(
            id: event.id.text, kind: .init(event.kind), title: event.title, description_p: event.description, location: event.location,
            startsAt: .init(event.startsAt), endsAt: .init(event.endsAt), allDay: event.isAllDay, timeZone: event.timeZone,
            recurrenceRule: event.recurrenceRule, reminderMinutes: event.reminderMinutes, status: .init(event.status),
            appointmentId: event.appointmentID?.text, clientId: event.clientID ?? "", version: event.version)
    }
}

extension CalendarEvent.Kind {
    /// Of an entry that a person makes.
    init(own kind: UsersV1.CalendarEventKind) throws(InvalidValue) {
        switch kind {
        case .medication: self = .medication
        case .measurement: self = .measurement
        case .exercise: self = .exercise
        case .reminder: self = .reminder
        case .other: self = .other
        case .appointment: throw InvalidValue("is for entries that follow an appointment, which nobody makes by hand")
        case .unspecified: throw InvalidValue("is needed")
        default: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension UsersV1.CalendarEventKind {
    init(_ kind: CalendarEvent.Kind) {
        self = switch kind {
        case .appointment: .appointment
        case .medication: .medication
        case .measurement: .measurement
        case .exercise: .exercise
        case .reminder: .reminder
        case .other: .other
        }
    }
}

extension CalendarEvent.Status {
    init(_ status: UsersV1.CalendarEventStatus) throws(InvalidValue) {
        switch status {
        case .tentative: self = .tentative
        case .confirmed: self = .confirmed
        case .cancelled: self = .cancelled
        case .done: self = .done
        case .unspecified: throw InvalidValue("is needed")
        default: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension UsersV1.CalendarEventStatus {
    init(_ status: CalendarEvent.Status) {
        self = switch status {
        case .tentative: .tentative
        case .confirmed: .confirmed
        case .cancelled: .cancelled
        case .done: .done
        }
    }
}
