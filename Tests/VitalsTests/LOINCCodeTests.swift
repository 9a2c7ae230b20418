internal import Application
internal import Testing

@testable internal import Vitals

@Suite struct `A LOINC code` {
    @Test(arguments: ["8867-4", "85354-9", "8480-6", "8462-4", "99504-3", "105272-9", "2708-6", "8310-5", "39156-5"])
    func `is taken when its check digit is right`(code: String) throws {
        #expect(try LOINCCode(code).text == code)
    }

    @Test(arguments: ["8867-4", "85354-9", "105272-9"])
    func `is refused with any other check digit`(code: String) {
        for digit in 0..<10 where String(digit) != code.suffix(1) {
            #expect(throws: InvalidValue.self) { try LOINCCode(code.dropLast() + String(digit)) }
        }
    }

    @Test(arguments: [
        "", "-", "8867", "8867-", "-4", "8867-44", "8867-x", "x867-4", " 8867-4", "8867-4 ", "8867–4", "08867-4",
        "8867-4-4", "12345678-2", "८८६७-4", "8867-4\u{0}",
    ])
    func `is digits, a hyphen and a digit`(code: String) {
        #expect(throws: InvalidValue.self) { try LOINCCode(code) }
    }
}
