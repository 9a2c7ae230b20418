internal import Application
internal import Foundation
internal import Time

/// What a person says of an entry in their calendar. Two entries are equal if they say the same.
struct CalendarEntry: Hashable, Sendable {
    var kind: CalendarEvent.Kind
    var title: String
    var description: String?
    var location: String?
    var startsAt: Instant
    var endsAt: Instant
    var isAllDay: Bool
    var timeZone: TimeZoneName
    var recurrenceRule: String?
    var reminder: Int32?
    var status: CalendarEvent.Status = .confirmed

    /// No entry is longer, so what falls in a time has begun no earlier than this before it.
    static let longest = Duration.seconds(31 * 86_400)

    /// What makes no sense together, by the field that is to be changed.
    func contradiction() -> (field: String, reason: InvalidValue)? {
        guard endsAt >= startsAt else { return ("ends_at", InvalidValue("is before the beginning")) }
        guard endsAt - startsAt <= Self.longest else { return ("ends_at", InvalidValue("is more than 31 days behind the beginning")) }
        if isAllDay, let zone = TimeZone(identifier: timeZone.text) {
            guard zone.beginsDay(at: startsAt) else { return ("starts_at", InvalidValue("is not the beginning of a day in the time zone")) }
            guard zone.beginsDay(at: endsAt), endsAt > startsAt else {
                return ("ends_at", InvalidValue("is not the beginning of a later day in the time zone"))
            }
        }
        // RFC 5545, section 3.3.10: the end of a rule is a day if the beginning is one, and else an instant in UTC.
        if let recurrenceRule, let rule = try? RecurrenceRule(recurrenceRule), let until = rule.until, (until == .day) != isAllDay {
            return ("recurrence_rule", InvalidValue("ends with a day only if the entry takes whole days, and else with a time in UTC"))
        }
        return nil
    }
}

extension CalendarEntry {
    init(_ event: CalendarEvent) {
        self.init(
            kind: event.kind, title: event.title, description: event.description, location: event.location, startsAt: event.startsAt,
            endsAt: event.endsAt, isAllDay: event.isAllDay, timeZone: TimeZoneName(stored: event.timeZone),
            recurrenceRule: event.recurrenceRule, reminder: event.reminderMinutes, status: event.status)
    }

    func applied(to event: CalendarEvent) -> CalendarEvent {
        var event = event
        event.kind = kind
        event.title = title
        event.description = description
        event.location = location
        event.startsAt = startsAt
        event.endsAt = endsAt
        event.isAllDay = isAllDay
        event.timeZone = timeZone.text
        event.recurrenceRule = recurrenceRule
        event.reminderMinutes = reminder
        event.status = status
        return event
    }
}

extension CalendarEvent {
    /// What the ids that apps give are told from other calendars' by.
    static let app = "app"

    /// The app's own id of an entry that an app made.
    var clientID: String? { externalSource == Self.app ? externalID : nil }

    /// An entry that says nothing yet.
    init(id: UUID, clientID: ClientID) {
        self.init(
            id: id, kind: .other, title: "", startsAt: Instant(microsecondsSinceEpoch: 0), endsAt: Instant(microsecondsSinceEpoch: 0),
            externalSource: Self.app, externalID: clientID.text)
    }
}
