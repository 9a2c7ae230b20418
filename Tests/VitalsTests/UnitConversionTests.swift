internal import TestSupport
internal import Testing

@testable internal import Vitals

@Suite struct `A conversion of units` {
    private static func convert(_ value: String, _ from: String, _ to: String, _ code: String = "8867-4") throws -> String? {
        try UnitConversion(from: UCUMUnit(from), to: UCUMUnit(to), of: LOINCCode(stored: code))?.convert(DecimalNumber(value)).text
    }

    /// A code, a value, its unit, another unit and the value in that.
    private static let known: [[String]] = [
        ["99504-3", "97", "mg/dL", "mmol/L", "5.38"], ["15074-8", "5.4", "mmol/L", "mg/dL", "97"], ["15074-8", "5.40", "mmol/L", "mg/dL", "97.3"],
        ["2093-3", "200", "mg/dL", "mmol/L", "5.17"], ["14682-9", "88", "umol/L", "mg/dL", "1.00"], ["2571-8", "150", "mg/dL", "mmol/L", "1.69"],
        ["8310-5", "98.6", "[degF]", "Cel", "37.00"], ["8310-5", "37.0", "Cel", "[degF]", "98.6"], ["8310-5", "-40", "Cel", "[degF]", "-40"],
        ["8310-5", "310.15", "K", "Cel", "37.00"], ["29463-7", "72.5", "kg", "[lb_av]", "159.8"], ["29463-7", "160", "[lb_av]", "kg", "72.6"],
        ["8480-6", "16.0", "kPa", "mm[Hg]", "120.0"], ["8480-6", "120", "mm[Hg]", "kPa", "16.0"], ["8302-2", "70", "[in_i]", "cm", "178"],
        ["8867-4", "72", "{beats}/min", "/min", "72"], ["80404-7", "0.045", "s", "ms", "45"], ["8867-4", "5.40", "mg/dL", "mg/dL", "5.40"],
    ]

    @Test(arguments: known)
    func `says a value in another unit`(row: [String]) throws {
        #expect(try Self.convert(row[1], row[2], row[3], row[0]) == row[4])
    }

    @Test(arguments: [
        ("99504-3", "mg/dL", "kg"), ("8867-4", "mg/dL", "mmol/L"), ("29463-7", "kg", "furlong"), ("8310-5", "Cel", "mm[Hg]"),
        ("8867-4", "{beats}", "/min"),
    ])
    func `is not there for units that a value cannot have`(code: String, from: String, to: String) throws {
        #expect(try Self.convert("1", from, to, code) == nil)
    }

    private static let pairs: [(code: String, units: [String])] = [
        ("99504-3", ["mg/dL", "mmol/L", "g/L", "umol/L", "mg/L", "ug/mL"]), ("2160-0", ["mg/dL", "umol/L", "mmol/L"]),
        ("2093-3", ["mg/dL", "mmol/L"]), ("1975-2", ["mg/dL", "umol/L"]), ("8310-5", ["Cel", "[degF]", "K"]),
        ("29463-7", ["kg", "g", "[lb_av]", "[oz_av]", "mg"]), ("8480-6", ["mm[Hg]", "kPa", "Pa", "cm[H2O]"]),
        ("8302-2", ["m", "cm", "[in_i]", "[ft_i]", "km", "[mi_i]"]), ("80404-7", ["s", "ms", "min", "h", "d"]),
        ("8867-4", ["/min", "Hz", "/h", "{beats}/min"]), ("59408-5", ["%", "1"]), ("9843-4", ["kcal", "kJ", "J", "cal"]),
    ]

    @Test(arguments: [UInt64.random(in: .min ... .max)])
    func `gives the digits that were recorded when it is taken back`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for step in 0..<4_000 {
            let (code, units) = try #require(Self.pairs.randomElement(using: &random))
            let from = try UCUMUnit(try #require(units.randomElement(using: &random)))
            let to = try UCUMUnit(try #require(units.randomElement(using: &random)))
            let there = try #require(UnitConversion(from: from, to: to, of: LOINCCode(stored: code)))
            let back = try #require(UnitConversion(from: to, to: from, of: LOINCCode(stored: code)))
            let digits = String((0..<Int.random(in: 1...30, using: &random)).map { _ in "0123456789".randomElement(using: &random) ?? "0" })
            let whole = String(digits.drop { $0 == "0" })
            let scale = Int.random(in: 0...12, using: &random)
            let given = try DecimalNumber((Bool.random(using: &random) ? "-" : "") + (whole.isEmpty ? "0" : whole) + "e-\(scale)")

            let converted = there.convert(given)

            let again = ExactDecimal(back.convert(converted))
            let recorded = ExactDecimal(given)
            // What comes back may have more digits; to as many as were recorded it is what was recorded.
            let rounded = again.scale <= recorded.scale ? again.padded(to: recorded.scale) : again.divided(by: 1, scale: recorded.scale)
            #expect(rounded.unscaled == recorded.unscaled, "\(given.text) \(from.text) is \(converted.text) \(to.text), step \(step), seed \(seed)")
            #expect(there.compare(given, with: converted) == -back.compare(converted, with: given))
        }
    }

    @Test func `compares without rounding`() throws {
        let toFahrenheit = try #require(UnitConversion(from: try UCUMUnit("Cel"), to: try UCUMUnit("[degF]"), of: LOINCCode(stored: "8310-5")))

        #expect(toFahrenheit.compare(try DecimalNumber("38"), with: try DecimalNumber("100.4")) == 0)
        #expect(toFahrenheit.compare(try DecimalNumber("38.0000000000000000000001"), with: try DecimalNumber("100.4")) == 1)
        #expect(toFahrenheit.compare(try DecimalNumber("37.9999999999999999999999"), with: try DecimalNumber("100.4")) == -1)
    }

    @Test(arguments: UnitConversion.codesOfSubstances)
    func `knows the molar mass of real codes alone`(code: LOINCCode) throws {
        #expect(try LOINCCode(code.text) == code)
    }

    @Test(arguments: [UInt64.random(in: .min ... .max)])
    func `computes as integers do`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        func number() -> Int64 { Int64.random(in: -1_000_000_000...1_000_000_000, using: &random) * Int64.random(in: 0...1_000_000_000, using: &random) }
        func text(_ number: Int128) -> String { "\(number)" }
        func shown(_ number: WholeNumber) -> String { (number.isNegative ? "-" : "") + number.digits }
        for _ in 0..<5_000 {
            let (left, right, divisor) = (number(), number(), Int64.random(in: 1...1_000_000_000_000, using: &random))
            #expect(shown(WholeNumber(left) + WholeNumber(right)) == text(Int128(left) + Int128(right)))
            #expect(shown(WholeNumber(left).times(right)) == text(Int128(left) * Int128(right)))
            #expect((WholeNumber(left) < WholeNumber(right)) == (left < right))
            let product = Int128(left) * Int128(right)
            // Doubled, the middle is a whole number.
            let expected = (product.magnitude * 2 + UInt128(divisor.magnitude)) / (UInt128(divisor.magnitude) * 2)
            #expect(WholeNumber(left).times(right).divided(by: divisor).digits == "\(expected)")
            let power = Int.random(in: 1...6, using: &random)
            let large = UInt128(divisor.magnitude) * (0..<power).reduce(UInt128(1)) { product, _ in product * 10 }
            #expect(WholeNumber(left).times(right).divided(by: divisor, andTenToThe: power).digits == "\((product.magnitude * 2 + large) / (large * 2))")
        }
    }
}
