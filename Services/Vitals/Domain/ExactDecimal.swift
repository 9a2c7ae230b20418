internal import Postgres

/// A decimal to compute with: a whole number and how many of its digits stand behind the point. Nothing is rounded but where it says so.
struct ExactDecimal: Hashable, Sendable {
    let unscaled: WholeNumber
    let scale: Int

    init(unscaled: WholeNumber, scale: Int) {
        self.unscaled = unscaled
        self.scale = scale
    }

    init(_ number: DecimalNumber) {
        let text = number.text.utf8
        let isNegative = text.first == UInt8(ascii: "-")
        let digits = text.dropFirst(isNegative ? 1 : 0)
        let point = digits.firstIndex(of: UInt8(ascii: ".")) ?? digits.endIndex
        let fraction = digits[point...].dropFirst()
        unscaled = WholeNumber(digits: Array(digits[..<point]) + Array(fraction), isNegative: isNegative)
        scale = fraction.count
    }

    /// With so many digits behind the point, which are no fewer than it has.
    func padded(to scale: Int) -> ExactDecimal {
        ExactDecimal(unscaled: unscaled.timesTen(toThe: max(0, scale - self.scale)), scale: max(scale, self.scale))
    }

    /// Divided, with so many digits behind the point; rounded half away from zero.
    func divided(by divisor: Int64, scale: Int) -> ExactDecimal {
        let numerator = unscaled.timesTen(toThe: max(0, scale - self.scale))
        return ExactDecimal(unscaled: numerator.divided(by: divisor, andTenToThe: max(0, self.scale - scale)), scale: scale)
    }

    var number: DecimalNumber {
        let digits = unscaled.digits
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.utf8.count)) + digits
        let point = padded.index(padded.endIndex, offsetBy: -scale)
        let text = (unscaled.isNegative ? "-" : "") + padded[..<point] + (scale > 0 ? "." + padded[point...] : "")
        // Digits with a point are always a decimal number.
        return DecimalNumber(stored: Numeric(text) ?? Numeric(0))
    }

    /// Whether the two are the same number, whatever their digits: 5.4 and 5.40 are.
    func isEqual(to other: ExactDecimal) -> Bool { !(self < other) && !(other < self) }

    static func + (left: ExactDecimal, right: ExactDecimal) -> ExactDecimal {
        let scale = max(left.scale, right.scale)
        return ExactDecimal(unscaled: left.padded(to: scale).unscaled + right.padded(to: scale).unscaled, scale: scale)
    }
}

extension ExactDecimal: Comparable {
    static func < (left: ExactDecimal, right: ExactDecimal) -> Bool {
        let scale = max(left.scale, right.scale)
        return left.padded(to: scale).unscaled < right.padded(to: scale).unscaled
    }
}
