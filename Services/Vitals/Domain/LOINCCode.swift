internal import Application

/// Says what was measured: a LOINC code such as `8867-4` (heart rate).
///
/// Its form is checked, not whether LOINC has published it. The last digit is a check digit, so most mistyped codes
/// are told from real ones.
struct LOINCCode: Hashable, Sendable {
    let text: String

    /// LOINC leaves room for seven digits before the hyphen; today's have up to six.
    static let maxDigits = 7

    init(_ given: String) throws(InvalidValue) {
        let parts = given.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 2, (1...Self.maxDigits).contains(parts[0].count), parts[1].count == 1,
            parts.allSatisfy({ $0.allSatisfy(\.isASCIIDigit) }), parts[0].first != UInt8(ascii: "0")
        else { throw InvalidValue("is not a LOINC code such as 8867-4") }
        guard parts[1].first == Self.checkDigit(of: parts[0]) else {
            throw InvalidValue("is not a LOINC code: its check digit is wrong")
        }
        text = given
    }

    /// A code that the table holds, or a constant of ours.
    init(stored: String) { text = stored }

    /// Mod 10 as LOINC's users' guide computes it (appendix B): from the right, every other digit counts double, and a
    /// double counts as the sum of its digits.
    private static func checkDigit(of digits: some BidirectionalCollection<UInt8>) -> UInt8 {
        let sum = digits.reversed().enumerated().reduce(0) { sum, digit in
            let value = Int(digit.element - UInt8(ascii: "0"))
            return sum + (digit.offset.isMultiple(of: 2) ? value * 2 / 10 + value * 2 % 10 : value)
        }
        return UInt8(ascii: "0") + UInt8((10 - sum % 10) % 10)
    }
}
