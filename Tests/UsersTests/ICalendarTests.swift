internal import Foundation
internal import Testing
internal import Time

@testable internal import Users

@Suite struct `An iCalendar` {
    private let now = Instant(rfc3339: "2026-11-29T12:00:00Z")!
    private let id = UUID(uuidString: "01890000-0000-7000-8000-000000000001")!

    private func event(_ title: String = "Run", _ start: String = "2026-12-01T08:00:00Z", hours: Double = 1) -> CalendarEvent {
        let start = Instant(rfc3339: start)!
        return CalendarEvent(id: id, kind: .exercise, title: title, startsAt: start, endsAt: start + .seconds(hours * 3_600))
    }

    private func lines(_ events: CalendarEvent...) -> [String] {
        ICalendar(events, now: now).text.replacing("\r\n ", with: "").split(separator: "\r\n").map(String.init)
    }

    @Test func `says what an entry says, word for word`() {
        var event = event("Walk; then, rest \\ sleep")
        event.description = "first\nsecond"
        event.location = "Park"
        event.reminderMinutes = 15
        event.version = 3

        #expect(
            lines(event) == [
                "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//HeartGuard//Calendar//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH", "BEGIN:VEVENT",
                "UID:01890000-0000-7000-8000-000000000001@heartguard", "DTSTAMP:20261129T120000Z", "SEQUENCE:2", "DTSTART:20261201T080000Z",
                "DTEND:20261201T090000Z", #"SUMMARY:Walk\; then\, rest \\ sleep"#, #"DESCRIPTION:first\nsecond"#, "LOCATION:Park",
                "CATEGORIES:EXERCISE", "STATUS:CONFIRMED", "BEGIN:VALARM", "ACTION:DISPLAY", #"DESCRIPTION:Walk\; then\, rest \\ sleep"#,
                "TRIGGER:-PT15M", "END:VALARM", "END:VEVENT", "END:VCALENDAR",
            ])
    }

    @Test func `escapes what it has to, whatever is written on top of it, and nothing that looks like it`() {
        let summary = lines(event("a;\u{301}b,\u{200D}c\\\u{308}d\u{37E}")).first { $0.hasPrefix("SUMMARY:") }

        #expect(summary.map { Array($0.utf8) } == Array("SUMMARY:a\\;\u{301}b\\,\u{200D}c\\\\\u{308}d\u{37E}".utf8))
    }

    @Test func `tells what is cancelled, and reminds of none of it`() {
        var event = event()
        event.status = .cancelled
        event.reminderMinutes = 15
        #expect(lines(event).contains("STATUS:CANCELLED"))
        #expect(!lines(event).contains("BEGIN:VALARM"))
    }

    @Test func `has days for what takes whole days, and no end for a moment`() {
        var day = event("Fast", "2026-11-30T23:00:00Z", hours: 48)
        day.isAllDay = true
        day.timeZone = "Europe/Berlin"
        #expect(lines(day).contains("DTSTART;VALUE=DATE:20261201"))
        #expect(lines(day).contains("DTEND;VALUE=DATE:20261203"))
        #expect(!lines(event(hours: 0)).contains { $0.hasPrefix("DTEND") })
    }

    @Test func `has what comes again in the time of its zone, and says when clocks are changed there`() {
        var event = event("Pill", "2026-10-01T06:00:00Z")
        event.recurrenceRule = "FREQ=DAILY"
        event.timeZone = "Europe/Berlin"
        let lines = lines(event)

        #expect(lines.contains("DTSTART;TZID=Europe/Berlin:20261001T080000"))
        #expect(lines.contains("DTEND;TZID=Europe/Berlin:20261001T090000"))
        #expect(lines.contains("RRULE:FREQ=DAILY"))
        #expect(lines.count { $0 == "TZID:Europe/Berlin" } == 1)
        // On 2026-10-25 at 01:00 UTC, when clocks show 03:00 of summer; and in 2027 on 03-28, when they show 02:00 of winter.
        let changes: [[String]] = [
            ["BEGIN:STANDARD", "DTSTART:20261025T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "END:STANDARD"],
            ["BEGIN:DAYLIGHT", "DTSTART:20270328T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "END:DAYLIGHT"],
        ]
        for change in changes { #expect(lines.indices.contains { lines[$0...].starts(with: change) }) }
        #expect(lines.count { $0 == "BEGIN:DAYLIGHT" } >= 10)
    }

    @Test func `has a zone without changes too, and one that is half an hour off`() {
        var event = event()
        event.recurrenceRule = "FREQ=DAILY"
        event.timeZone = "Asia/Kolkata"
        #expect(lines(event).contains("TZOFFSETTO:+0530"))
        #expect(lines(event).contains("DTSTART;TZID=Asia/Kolkata:20261201T133000"))
    }

    @Test func `folds lines at 75 octets and within no character`() {
        let title = String(repeating: "Grüße ❤️ 心臓 👩🏽‍⚕️, ", count: 20)
        let text = ICalendar([event(title)], now: now).text

        let folded = text.components(separatedBy: "\r\n")
        #expect(folded.allSatisfy { $0.utf8.count <= 75 })
        #expect(folded.contains { $0.utf8.count > 70 })
        #expect(folded.last == "")
        // By scalars, for a space and what is written on top of it are one character to Swift.
        let unfolded = folded.joined(separator: "\n").unicodeScalars.split(separator: "\n")
            .reduce(into: "") { $0.unicodeScalars += $1.first == " " ? $1.dropFirst() : $1[...] }
        #expect(unfolded.contains("SUMMARY:" + title.replacing(",", with: "\\,")))
    }
}
