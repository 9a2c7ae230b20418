internal import Foundation
internal import Time

/// A calendar as other programs read it: RFC 5545, with METHOD:PUBLISH as in RFC 5546.
///
/// What comes once is written in UTC. What comes again does so by the clocks of its zone, so it names the zone and the calendar says when clocks are
/// changed there. What takes whole days is written as days.
struct ICalendar {
    private var lines = FoldedLines()

    /// - Parameter now: when the calendar is made; its zones tell what happens to clocks for ten years from then.
    init(_ events: [CalendarEvent], now: Instant) {
        lines.add("BEGIN", "VCALENDAR")
        lines.add("VERSION", "2.0")
        lines.add("PRODID", "-//HeartGuard//Calendar//EN")
        lines.add("CALSCALE", "GREGORIAN")
        lines.add("METHOD", "PUBLISH")
        let recurring = events.filter { $0.recurrenceRule != nil && !$0.isAllDay && $0.timeZone != "UTC" }
        for (name, events) in Dictionary(grouping: recurring, by: \.timeZone).sorted(by: { $0.key < $1.key }) {
            guard let zone = TimeZone(identifier: name), let first = events.map(\.startsAt).min() else { continue }
            add(zone, name, from: first, to: now + .seconds(3_653 * 86_400))
        }
        for event in events { add(event, now) }
        lines.add("END", "VCALENDAR")
    }

    var text: String { lines.text }

    private mutating func add(_ event: CalendarEvent, _ now: Instant) {
        lines.add("BEGIN", "VEVENT")
        lines.add("UID", "\(event.id.text)@heartguard")
        lines.add("DTSTAMP", ICalendarTime.utc(now))
        lines.add("SEQUENCE", "\(event.version - 1)")
        addTimes(of: event)
        lines.add("SUMMARY", Self.escaped(event.title))
        if let description = event.description { lines.add("DESCRIPTION", Self.escaped(description)) }
        if let location = event.location { lines.add("LOCATION", Self.escaped(location)) }
        lines.add("CATEGORIES", event.kind.rawValue.uppercased())
        lines.add("STATUS", Self.status(event.status))
        if let minutes = event.reminderMinutes, event.status != .cancelled {
            lines.add("BEGIN", "VALARM")
            lines.add("ACTION", "DISPLAY")
            lines.add("DESCRIPTION", Self.escaped(event.title))
            lines.add("TRIGGER", "-PT\(minutes)M")
            lines.add("END", "VALARM")
        }
        lines.add("END", "VEVENT")
    }

    private mutating func addTimes(of event: CalendarEvent) {
        let zone = TimeZone(identifier: event.timeZone)
        if event.isAllDay, let zone {
            lines.add("DTSTART;VALUE=DATE", ICalendarTime.day(event.startsAt, in: zone))
            lines.add("DTEND;VALUE=DATE", ICalendarTime.day(event.endsAt, in: zone))
        } else if event.recurrenceRule != nil, event.timeZone != "UTC", let zone {
            lines.add("DTSTART;TZID=\(event.timeZone)", ICalendarTime.local(event.startsAt, offset: zone.offset(at: event.startsAt)))
            // Section 3.6.1: the end has to be behind the beginning; without one an entry is a moment.
            if event.endsAt > event.startsAt {
                lines.add("DTEND;TZID=\(event.timeZone)", ICalendarTime.local(event.endsAt, offset: zone.offset(at: event.endsAt)))
            }
        } else {
            lines.add("DTSTART", ICalendarTime.utc(event.startsAt))
            if event.endsAt > event.startsAt { lines.add("DTEND", ICalendarTime.utc(event.endsAt)) }
        }
        if let rule = event.recurrenceRule { lines.add("RRULE", rule) }
    }

    /// Each change of the clocks as an observance of its own (section 3.6.5), and before the first of them how they went then.
    private mutating func add(_ zone: TimeZone, _ name: String, from first: Instant, to last: Instant) {
        lines.add("BEGIN", "VTIMEZONE")
        lines.add("TZID", name)
        let begins = first - .seconds(366 * 86_400)
        addObservance(of: zone, at: begins, from: zone.offset(at: begins))
        var change = begins
        while let next = zone.nextDaylightSavingTimeTransition(after: change.date).map(Instant.init(_:)), next > change, next < last {
            addObservance(of: zone, at: next, from: zone.offset(at: next - .seconds(1)))
            change = next
        }
        lines.add("END", "VTIMEZONE")
    }

    private mutating func addObservance(of zone: TimeZone, at instant: Instant, from before: Int) {
        let kind = zone.isDaylightSavingTime(for: instant.date) ? "DAYLIGHT" : "STANDARD"
        lines.add("BEGIN", kind)
        // In the time of before, as the clocks show it at the change.
        lines.add("DTSTART", ICalendarTime.local(instant, offset: before))
        lines.add("TZOFFSETFROM", ICalendarTime.offset(before))
        lines.add("TZOFFSETTO", ICalendarTime.offset(zone.offset(at: instant)))
        lines.add("END", kind)
    }

    private static func status(_ status: CalendarEvent.Status) -> String {
        switch status {
        case .tentative: "TENTATIVE"
        case .confirmed, .done: "CONFIRMED"
        case .cancelled: "CANCELLED"
        }
    }

    /// TEXT of section 3.3.11. By scalars: to Swift a semicolon with an accent on it is no semicolon, and the Greek question mark is one.
    private static func escaped(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", ";", ",": escaped.append(contentsOf: ["\\", scalar])
            case "\n": escaped.append(contentsOf: ["\\", "n"])
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}

/// Lines of at most 75 octets that end with CR LF; a longer one goes on behind a space, never within a character (section 3.1).
struct FoldedLines {
    private(set) var text = ""

    static let mostOctets = 75

    mutating func add(_ name: String, _ value: String) {
        var octets = 0
        for scalar in "\(name):\(value)".unicodeScalars {
            let size = UTF8.width(scalar)
            if octets + size > Self.mostOctets {
                text += "\r\n "
                octets = 1
            }
            text.unicodeScalars.append(scalar)
            octets += size
        }
        text += "\r\n"
    }
}

/// Times as iCalendar writes them.
enum ICalendarTime {
    static func utc(_ instant: Instant) -> String { local(instant, offset: 0) + "Z" }

    /// As clocks show it that are so many seconds ahead of UTC.
    static func local(_ instant: Instant, offset: Int) -> String {
        let (day, second) = parts(instant, offset)
        return "\(text(day))T\(digits(second / 3_600))\(digits(second / 60 % 60))\(digits(second % 60))"
    }

    static func day(_ instant: Instant, in zone: TimeZone) -> String { text(parts(instant, zone.offset(at: instant)).day) }

    static func offset(_ seconds: Int) -> String {
        let size = seconds.magnitude
        let rest = size % 60 == 0 ? "" : digits(Int64(size % 60))
        return (seconds < 0 ? "-" : "+") + digits(Int64(size / 3_600)) + digits(Int64(size / 60 % 60)) + rest
    }

    private static func parts(_ instant: Instant, _ offset: Int) -> (day: CivilDate, second: Int64) {
        let micros = instant.microsecondsSinceEpoch
        let seconds = (micros - (micros % 1_000_000 + 1_000_000) % 1_000_000) / 1_000_000 + Int64(offset)
        let second = (seconds % 86_400 + 86_400) % 86_400
        return (CivilDate(daysSinceEpoch: (seconds - second) / 86_400), second)
    }

    private static func text(_ day: CivilDate) -> String { day.description.replacing("-", with: "") }

    private static func digits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension Instant {
    fileprivate init(_ date: Date) { self.init(microsecondsSinceEpoch: Int64(date.timeIntervalSince1970 * 1_000_000)) }

    fileprivate var date: Date { Date(timeIntervalSince1970: Double(microsecondsSinceEpoch) / 1_000_000) }
}

extension TimeZone {
    /// How many seconds clocks are ahead of UTC.
    func offset(at instant: Instant) -> Int { secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant.microsecondsSinceEpoch) / 1_000_000)) }

    /// Whether a day begins there at this instant.
    func beginsDay(at instant: Instant) -> Bool {
        let date = Date(timeIntervalSince1970: Double(instant.microsecondsSinceEpoch) / 1_000_000)
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = self
        return calendar.startOfDay(for: date) == date
    }
}
