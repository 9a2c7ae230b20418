internal import Application
internal import Testing

@testable internal import Users

@Suite struct `A recurrence rule` {
    @Test(arguments: [
        "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=MONTHLY;BYDAY=2MO,-1FR", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=DAILY;INTERVAL=2;COUNT=10", "FREQ=WEEKLY;UNTIL=20271231T235959Z;WKST=MO", "COUNT=3;FREQ=DAILY", "FREQ=MONTHLY;BYMONTHDAY=-1,15",
    ])
    func `is one that calendars of people use`(text: String) throws {
        #expect(try RecurrenceRule(text).text == text)
    }

    @Test(arguments: [
        "", "DAILY", "FREQ=SECONDLY", "FREQ=HOURLY", "freq=daily", "FREQ=DAILY;", "FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=1001",
        "FREQ=DAILY;COUNT=2;UNTIL=20271231", "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;UNTIL=20270229", "FREQ=DAILY;UNTIL=20271231T250000Z",
        "FREQ=DAILY;UNTIL=20271231T120000", "FREQ=WEEKLY;BYDAY=2MO", "FREQ=WEEKLY;BYMONTHDAY=1", "FREQ=WEEKLY;BYDAY=", "FREQ=WEEKLY;BYDAY=MO,",
        "FREQ=MONTHLY;BYDAY=0MO", "FREQ=MONTHLY;BYDAY=54MO", "FREQ=MONTHLY;BYMONTHDAY=32", "FREQ=YEARLY;BYMONTH=13", "FREQ=DAILY;BYHOUR=9",
        "FREQ=DAILY;COUNT=+2", "FREQ=DAILY\r\nATTACH:x", "FREQ=DAILY;COUNT=99999999999999999999", "FREQ=DAILY;X=1", "COUNT=2",
    ])
    func `is refused that is another`(text: String) {
        #expect(throws: InvalidValue.self) { try RecurrenceRule(text) }
    }

    @Test func `says how it ends`() throws {
        #expect(try RecurrenceRule("FREQ=DAILY").until == nil)
        #expect(try RecurrenceRule("FREQ=DAILY;UNTIL=20271231").until == .day)
        #expect(try RecurrenceRule("FREQ=DAILY;UNTIL=20271231T000000Z").until == .instant)
    }
}
