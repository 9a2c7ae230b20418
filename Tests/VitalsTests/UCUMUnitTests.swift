internal import Application
internal import Testing

@testable internal import Vitals

@Suite struct `A UCUM unit` {
    @Test(arguments: [
        "/min", "{beats}/min", "%", "Cel", "[degF]", "mg/dL", "mmol/L", "mm[Hg]", "kg", "[lb_av]", "kg/m2", "ms", "1",
        "10*3/uL", "10^6", "m/s2", "mL/(kg.min)", "mL/min/{1.73_m2}", "[iU]/L", "cm[H2O]", "/m-1", "m+2", "{steps}/d",
        "umol/kg{Hb}", "(8.h){shift}", "[in_i'H2O]",
    ])
    func `is taken when it follows the grammar`(unit: String) throws {
        #expect(try UCUMUnit(unit).text == unit)
    }

    @Test(arguments: [
        "", " ", "mg /dL", "mg//dL", "mg/", ".mg", "mg.", "mm[Hg", "mmHg]", "mm[H[g]]", "{beats", "beats}", "{}", "[]",
        "(kg", "kg)", "()", "m-", "-2", "m2-3", "m--2", "°C", "µg", "m\u{0}", "m\n", "((((((((((m))))))))))",
        "a{b}{c}", "mg dL", String(repeating: "m", count: 65),
    ])
    func `is refused when it does not`(unit: String) {
        #expect(throws: InvalidValue.self) { try UCUMUnit(unit) }
    }
}
