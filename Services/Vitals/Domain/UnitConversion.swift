/// How a value in one unit is said in another: `y = (a·x + b) / c` in whole numbers, so that nothing is lost in between.
struct UnitConversion: Hashable, Sendable {
    /// Positive.
    let a: Int64
    let b: Int64
    /// Positive.
    let c: Int64

    static let identity = UnitConversion(a: 1, b: 0, c: 1)

    /// `nil` when values of the code in the one unit have no form in the other.
    init?(from: UCUMUnit, to: UCUMUnit, of code: LOINCCode) {
        let (from, to) = (UnitTable.plain(from), UnitTable.plain(to))
        guard from != to else {
            self = .identity
            return
        }
        guard let first = UnitTable.units[from], let second = UnitTable.units[to] else { return nil }
        if first.dimension == second.dimension {
            self.init(first.conversion, then: second.conversion.inverse)
        } else if let molarMass = UnitTable.molarMasses[code.text] {
            // Grams per litre divided by grams per mole are moles per litre.
            let moles = UnitConversion(a: 1_000, b: 0, c: molarMass)
            switch (first.dimension, second.dimension) {
            case (.massConcentration, .substanceConcentration):
                guard let toMoles = UnitConversion(first.conversion, then: moles) else { return nil }
                self.init(toMoles, then: second.conversion.inverse)
            case (.substanceConcentration, .massConcentration):
                guard let toGrams = UnitConversion(first.conversion, then: moles.inverse) else { return nil }
                self.init(toGrams, then: second.conversion.inverse)
            default: return nil
            }
        } else {
            return nil
        }
    }

    fileprivate init(a: Int64, b: Int64, c: Int64) {
        self.a = a
        self.b = b
        self.c = c
    }

    /// `nil` when the numbers grow too large, which those of the table never do.
    private init?(_ first: UnitConversion, then second: UnitConversion) {
        // (a₂·((a₁·x + b₁) / c₁) + b₂) / c₂
        let a = Int128(first.a) * Int128(second.a)
        let b = Int128(second.a) * Int128(first.b) + Int128(second.b) * Int128(first.c)
        let c = Int128(first.c) * Int128(second.c)
        var (divisor, rest) = (a, c)
        while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
        // What divides two of them need not divide the third.
        while b % divisor != 0 {
            (divisor, rest) = (divisor, b < 0 ? -b : b)
            while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
        }
        guard let a = Int64(exactly: a / divisor), let b = Int64(exactly: b / divisor), let c = Int64(exactly: c / divisor) else { return nil }
        self.init(a: a, b: b, c: c)
    }

    private var inverse: UnitConversion { UnitConversion(a: c, b: -b, c: a) }

    /// The value in the other unit, with the fewest digits that give the digits it has when they are converted back and rounded to as many
    /// as it has.
    func convert(_ value: DecimalNumber) -> DecimalNumber {
        guard self != .identity else { return value }
        let given = ExactDecimal(value)
        let exact = exact(given)
        // A step of the last digit must be no more, converted back, than a step of the last digit that was given.
        let givenStep = WholeNumber(c).timesTen(toThe: given.scale)
        var (scale, step) = (0, WholeNumber(a))
        while step < givenStep {
            step = step.times(10)
            scale += 1
        }
        let converted = exact.divided(by: c, scale: scale)
        // If it is nearly as much, what was rounded could be half of it, and be rounded the other way when it is converted back, more so by
        // who rounds twice.
        let isExact = ExactDecimal(unscaled: converted.unscaled.times(c), scale: scale).isEqual(to: exact)
        return (step.times(9) < givenStep.times(10) && !isExact ? exact.divided(by: c, scale: scale + 1) : converted).number
    }

    /// `c` times the value in the other unit.
    private func exact(_ value: ExactDecimal) -> ExactDecimal {
        ExactDecimal(unscaled: value.unscaled.times(a) + WholeNumber(b).timesTen(toThe: value.scale), scale: value.scale)
    }

    /// Whether the value is less in the other unit than one that is given in it, the same, or more: -1, 0 or 1.
    func compare(_ value: DecimalNumber, with other: DecimalNumber) -> Int {
        let left = exact(ExactDecimal(value))
        let given = ExactDecimal(other)
        let right = ExactDecimal(unscaled: given.unscaled.times(c), scale: given.scale)
        return left < right ? -1 : right < left ? 1 : 0
    }

    /// The sum of so many values in the other unit, times `c`.
    func exactSum(_ sum: DecimalNumber, of count: Int64) -> ExactDecimal {
        let sum = ExactDecimal(sum)
        return ExactDecimal(
            unscaled: sum.unscaled.times(a) + WholeNumber(b).times(count).timesTen(toThe: sum.scale), scale: sum.scale)
    }
}

/// What the units are that values can be converted between, and which substances weigh what.
private enum UnitTable {
    enum Dimension { case temperature, mass, length, pressure, time, rate, fraction, massConcentration, substanceConcentration, energy }

    struct Unit {
        let dimension: Dimension
        /// To the first unit of its dimension.
        let conversion: UnitConversion

        init(_ dimension: Dimension, _ a: Int64, _ c: Int64 = 1, plus b: Int64 = 0) {
            self.dimension = dimension
            conversion = UnitConversion(a: a, b: b, c: c)
        }
    }

    /// By their definitions in UCUM: a pound is 453.59237 g, and a millimetre of mercury 133.322 Pa.
    static let units: [String: Unit] = [
        "Cel": Unit(.temperature, 1), "[degF]": Unit(.temperature, 5, 9, plus: -160), "K": Unit(.temperature, 100, 100, plus: -27_315),
        "g": Unit(.mass, 1), "kg": Unit(.mass, 1_000), "mg": Unit(.mass, 1, 1_000), "[lb_av]": Unit(.mass, 45_359_237, 100_000),
        "[oz_av]": Unit(.mass, 45_359_237, 1_600_000),
        "m": Unit(.length, 1), "cm": Unit(.length, 1, 100), "mm": Unit(.length, 1, 1_000), "km": Unit(.length, 1_000),
        "[in_i]": Unit(.length, 254, 10_000), "[ft_i]": Unit(.length, 3_048, 10_000), "[mi_i]": Unit(.length, 1_609_344, 1_000),
        "Pa": Unit(.pressure, 1), "kPa": Unit(.pressure, 1_000), "mm[Hg]": Unit(.pressure, 133_322, 1_000),
        "cm[H2O]": Unit(.pressure, 980_665, 10_000),
        "s": Unit(.time, 1), "ms": Unit(.time, 1, 1_000), "min": Unit(.time, 60), "h": Unit(.time, 3_600), "d": Unit(.time, 86_400),
        "/min": Unit(.rate, 1), "/s": Unit(.rate, 60), "Hz": Unit(.rate, 60), "/h": Unit(.rate, 1, 60),
        "1": Unit(.fraction, 1), "%": Unit(.fraction, 1, 100),
        "g/L": Unit(.massConcentration, 1), "g/dL": Unit(.massConcentration, 10), "mg/dL": Unit(.massConcentration, 1, 100),
        "mg/L": Unit(.massConcentration, 1, 1_000), "mg/mL": Unit(.massConcentration, 1), "ug/dL": Unit(.massConcentration, 1, 100_000),
        "ug/L": Unit(.massConcentration, 1, 1_000_000), "ug/mL": Unit(.massConcentration, 1, 1_000),
        "ng/mL": Unit(.massConcentration, 1, 1_000_000), "ng/dL": Unit(.massConcentration, 1, 100_000_000),
        "mol/L": Unit(.substanceConcentration, 1), "mmol/L": Unit(.substanceConcentration, 1, 1_000),
        "umol/L": Unit(.substanceConcentration, 1, 1_000_000), "nmol/L": Unit(.substanceConcentration, 1, 1_000_000_000),
        "J": Unit(.energy, 1), "kJ": Unit(.energy, 1_000), "cal": Unit(.energy, 4_184, 1_000), "kcal": Unit(.energy, 4_184),
    ]

    private static let glucose: Int64 = 180_156
    private static let cholesterol: Int64 = 386_654
    private static let triglyceride: Int64 = 885_430
    private static let creatinine: Int64 = 113_120
    private static let ureaNitrogen: Int64 = 28_014
    private static let urate: Int64 = 168_110
    private static let bilirubin: Int64 = 584_660
    private static let calcium: Int64 = 40_078

    /// What a mole of what a code measures weighs, in milligrams. Codes for mass and for moles per volume measure the same. Triglycerides are
    /// counted as triolein, as laboratories do, and urea nitrogen as the two atoms of a molecule of urea.
    static let molarMasses: [String: Int64] = [
        "2339-0": glucose, "2345-7": glucose, "41653-7": glucose, "99504-3": glucose, "105272-9": glucose, "15074-8": glucose,
        "14749-6": glucose, "14743-9": glucose,
        "2093-3": cholesterol, "14647-2": cholesterol, "2085-9": cholesterol, "14646-4": cholesterol, "13457-7": cholesterol,
        "18262-6": cholesterol, "22748-8": cholesterol,
        "2571-8": triglyceride, "14927-8": triglyceride,
        "2160-0": creatinine, "14682-9": creatinine,
        "3094-0": ureaNitrogen, "14937-7": ureaNitrogen,
        "3084-1": urate, "14933-6": urate,
        "1975-2": bilirubin, "14631-6": bilirubin,
        "17861-6": calcium, "2000-8": calcium,
    ]

    /// Without its annotations, which say nothing about its size: `{beats}/min` is `/min`.
    static func plain(_ unit: UCUMUnit) -> String {
        var depth = 0
        let text = unit.text.filter { character in
            if character == "{" { depth += 1 }
            defer { if character == "}" { depth -= 1 } }
            return depth == 0
        }
        return text.isEmpty ? "1" : text
    }
}

extension UnitConversion {
    /// The codes whose molar masses are known, for tests.
    static var codesOfSubstances: [LOINCCode] { UnitTable.molarMasses.keys.sorted().map(LOINCCode.init(stored:)) }

    /// Whether the unit's size is known.
    static func knows(_ unit: UCUMUnit) -> Bool { UnitTable.units[UnitTable.plain(unit)] != nil }
}
