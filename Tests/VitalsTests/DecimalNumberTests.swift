internal import Application
internal import Testing

@testable internal import Vitals

@Suite struct `A decimal number` {
    @Test(arguments: ["0", "5.40", "-3", "-0.001", "0.0", "72.50", "100", String(repeating: "9", count: 40)])
    func `keeps the digits that were sent`(text: String) throws {
        #expect(try DecimalNumber(text).text == text)
    }

    @Test(arguments: [
        ("5.4e1", "54"), ("5.40E1", "54.0"), ("5.4e+2", "540"), ("5.4e-3", "0.0054"), ("0.5e1", "5"), ("-12e-1", "-1.2"),
        ("1e0", "1"), ("0e5", "0"), ("1e39", "1" + String(repeating: "0", count: 39)), ("123.456e-2", "1.23456"),
        ("0.00e2", "0"),
    ])
    func `with an exponent is the same number without one`(text: String, plain: String) throws {
        #expect(try DecimalNumber(text).text == plain)
    }

    @Test(arguments: [("-0", "0"), ("-0.00", "0.00"), ("-0e-2", "0.00"), ("-0.01", "-0.01")])
    func `that is zero has no sign, so that it is what the table gives back`(text: String, kept: String) throws {
        #expect(try DecimalNumber(text).text == kept)
    }

    @Test(arguments: [
        "", " ", "1 ", "+1", "1.", ".5", "01", "-", "--1", "1e", "1e+", "1e1.5", "1,5", "0x10", "NaN", "Infinity", "١",
        "1e40", "1e-41", "1e99999", "1e999999999999999999999", String(repeating: "9", count: 41), "1.5\u{0}",
    ])
    func `is decimal, and no longer than forty digits to either side of the point`(text: String) {
        #expect(throws: InvalidValue.self) { try DecimalNumber(text) }
    }
}
