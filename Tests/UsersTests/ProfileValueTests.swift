internal import Application
internal import Testing
internal import Time

@testable internal import Users

@Suite struct `A value of a profile` {
    @Test(arguments: ["+4930123456", "+1234567", "+123456789012345"])
    func `may be a telephone number`(given: String) throws {
        #expect(try PhoneNumber(given).text == given)
    }

    @Test(arguments: ["", "+", "030123456", "+049301234", "+49 30 123456", "+123456", "+1234567890123456", "+49३०123456"])
    func `is no telephone number unless E.164 has it so`(given: String) {
        #expect(throws: InvalidValue.self) { try PhoneNumber(given) }
    }

    @Test(arguments: ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata"])
    func `may be a time zone`(given: String) throws {
        #expect(try TimeZoneName(given).text == given)
    }

    @Test(arguments: ["", "Berlin", "GMT+2", "Mars/Olympus", "Europe/Berlin ", "../etc/passwd", "+02:00"])
    func `is no time zone unless the IANA database names it`(given: String) {
        #expect(throws: InvalidValue.self) { try TimeZoneName(given) }
    }

    @Test(arguments: ["1900-01-01", "1984-02-29", "2026-02-21"])
    func `may be a day of birth`(given: String) throws {
        let now = try #require(Instant(rfc3339: "2026-02-21T12:00:00Z"))

        #expect(try BirthDate(given, now: now).text == given)
    }

    @Test(arguments: ["", "1899-12-31", "2023-02-29", "2026-02-23", "21.02.1984", "1984-2-9"])
    func `is no day of birth outside the calendar or after today`(given: String) throws {
        let now = try #require(Instant(rfc3339: "2026-02-21T12:00:00Z"))

        #expect(throws: InvalidValue.self) { try BirthDate(given, now: now) }
    }

    @Test(arguments: ["https://example.org/ada.png", "HTTPS://example.org", "https://example.org:8443/a?b=c#d"])
    func `may be the URL of a picture`(given: String) throws {
        #expect(try AvatarURL(given).text == given)
    }

    @Test(arguments: [
        "", "http://example.org", "https://", "https:///a.png", "javascript:alert(1)", "https://ada:pw@example.org/",
        "https://example.org/a b", "https://example.org/\n", "https://\(String(repeating: "a", count: 2_048)).org",
    ])
    func `is no URL of a picture unless it is https and short`(given: String) {
        #expect(throws: InvalidValue.self) { try AvatarURL(given) }
    }

    @Test func `is a name without the white space around it`() throws {
        #expect(try PersonName(" Ada  Lovelace\n").text == "Ada  Lovelace")
        #expect(throws: InvalidValue.self) { try PersonName("Ada\u{0}") }
        #expect(throws: InvalidValue.self) { try PersonName(String(repeating: "a", count: 201)) }
    }

    @Test func `is a password of 12 to 256 characters, whatever they are`() throws {
        #expect(throws: InvalidValue.self) { try Password("elevenchars") }
        #expect(throws: InvalidValue.self) { try Password(String(repeating: "x", count: 257)) }
        #expect(try Password("パスワードは十二文字です").text.count == 12)
        #expect(try Password(String(repeating: "🫀", count: 256)).text.count == 256)
    }
}
