internal import Application
internal import Postgres

/// An exact decimal with the digits that were sent: `5.40` stays `5.40`, as FHIR's decimal wants it.
///
/// A number with an exponent is kept as the same number without one: `5.4e1` is `54`. Zero has no sign, as in PostgreSQL: `-0.0` is `0.0`.
struct DecimalNumber: Hashable, Sendable {
    let numeric: Numeric

    /// Far beyond any measure, and small enough that no number costs more than a few bytes.
    static let maxDigits = 40

    init(_ given: String) throws(InvalidValue) {
        guard !given.isEmpty else { throw InvalidValue("is needed") }
        guard given.utf8.count <= 2 * Self.maxDigits, let parts = DecimalParts(given) else {
            throw InvalidValue("is not a decimal number such as 5.40")
        }
        guard let plain = parts.plain(maxDigits: Self.maxDigits), let numeric = Numeric(plain) else {
            throw InvalidValue("has more than \(Self.maxDigits) digits before or after the point")
        }
        self.numeric = numeric
    }

    /// A number that the table holds.
    init(stored: Numeric) { numeric = stored }

    var text: String { numeric.text }
}

/// The parts of `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`, the form of FHIR's decimal.
private struct DecimalParts {
    var isNegative = false
    var whole: Substring.UTF8View
    var fraction: Substring.UTF8View
    var exponent = 0

    init?(_ text: String) {
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "-") {
            isNegative = true
            rest.removeFirst()
        }
        whole = rest.prefix(while: \.isASCIIDigit)
        rest = rest[whole.endIndex...]
        guard !whole.isEmpty, whole.count == 1 || whole.first != UInt8(ascii: "0") else { return nil }
        fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = rest.prefix(while: \.isASCIIDigit)
            rest = rest[fraction.endIndex...]
            guard !fraction.isEmpty else { return nil }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest.removeFirst()
            let sign = rest.first == UInt8(ascii: "-") ? -1 : 1
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
            guard (1...4).contains(rest.count), rest.allSatisfy(\.isASCIIDigit), let digits = Int(String(Substring(rest)))
            else { return nil }
            exponent = sign * digits
        } else {
            guard rest.isEmpty else { return nil }
        }
    }

    /// The number without its exponent; `nil` when that takes too many digits.
    func plain(maxDigits: Int) -> String? {
        let digits = String(Substring(whole)) + String(Substring(fraction))
        /// How many of the digits stand before the point.
        let point = whole.count + exponent
        guard point <= maxDigits, digits.utf8.count - point <= maxDigits else { return nil }
        let zeros = String(repeating: "0", count: max(0, 1 - point))
        let padded = zeros + digits + String(repeating: "0", count: max(0, point - digits.utf8.count))
        let split = padded.index(padded.startIndex, offsetBy: max(1, point))
        // An exponent may have moved zeros to the front: "0.5e1" is "05".
        let before = padded[..<split].drop { $0 == "0" }
        let after = padded[split...]
        let isZero = digits.utf8.allSatisfy { $0 == UInt8(ascii: "0") }
        return (isNegative && !isZero ? "-" : "") + (before.isEmpty ? "0" : before) + (after.isEmpty ? "" : "." + after)
    }
}
