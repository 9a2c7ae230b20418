/// An exact decimal number as text (`"72.50"`, `"-1e-3"` is not accepted), for `numeric` columns.
///
/// Binary floating point cannot hold 0.1; what must be exact travels as its digits. The scale is kept: `72.50` comes
/// back as `72.50`.
package struct Numeric: Sendable, Hashable, CustomStringConvertible {
    /// An optional minus, digits, and optionally a point and digits; or `NaN`, `Infinity`, `-Infinity`.
    package let text: String

    /// `nil` if the text is no decimal number, or has more digits than PostgreSQL stores (131,072 before the point,
    /// 16,383 after).
    package init?(_ text: String) {
        guard BaseTenThousand(text) != nil else { return nil }
        self.text = text
    }

    package init(_ integer: Int64) { text = String(integer) }

    package var description: String { text }

    fileprivate init(trusted text: String) { self.text = text }
}

extension Numeric: PostgresCodable {
    package static var postgresType: PostgresType { .numeric }

    package func encode(into buffer: inout [UInt8]) {
        // The initialisers let no other text in, so the number is always there.
        guard let number = BaseTenThousand(text) else { return }
        buffer.appendBigEndian(Int16(truncatingIfNeeded: number.digits.count))
        buffer.appendBigEndian(number.weight)
        buffer.appendBigEndian(number.sign)
        buffer.appendBigEndian(number.scale)
        for digit in number.digits { buffer.appendBigEndian(digit) }
    }

    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        guard type == .numeric else { throw .mismatch(type, Numeric.self) }
        guard let count = bytes.bigEndian(UInt16.self), let weight = bytes.bigEndian(Int16.self, at: 2),
              let sign = bytes.bigEndian(UInt16.self, at: 4), let scale = bytes.bigEndian(UInt16.self, at: 6),
              bytes.count == 8 + 2 * Int(count)
        else { throw .malformed(type) }
        var digits: [Int16] = []
        for index in 0..<Int(count) {
            guard let digit = bytes.bigEndian(Int16.self, at: 8 + 2 * index), (0...9_999).contains(digit) else {
                throw .malformed(type)
            }
            digits.append(digit)
        }
        self.init(trusted: BaseTenThousand(sign: sign, weight: weight, scale: scale, digits: digits).text)
    }
}

/// `numeric` as PostgreSQL stores it (`numeric_send`): digits to base 10,000, of which the first stands for
/// 10,000 to the power of `weight`; `scale` is how many decimal digits are shown after the point.
private struct BaseTenThousand {
    static let negative: UInt16 = 0x4000
    static let notANumber: UInt16 = 0xC000
    static let infinity: UInt16 = 0xD000
    static let negativeInfinity: UInt16 = 0xF000

    var sign: UInt16
    var weight: Int16
    var scale: UInt16
    var digits: [Int16]

    init(sign: UInt16, weight: Int16, scale: UInt16, digits: [Int16]) {
        self.sign = sign
        self.weight = weight
        self.scale = scale
        self.digits = digits
    }

    init?(_ text: String) {
        switch text {
        case "NaN": self.init(sign: Self.notANumber, weight: 0, scale: 0, digits: [])
        case "Infinity": self.init(sign: Self.infinity, weight: 0, scale: 0, digits: [])
        case "-Infinity": self.init(sign: Self.negativeInfinity, weight: 0, scale: 0, digits: [])
        default: self.init(decimal: text)
        }
    }

    private init?(decimal text: String) {
        let isNegative = text.utf8.first == UInt8(ascii: "-")
        let parts = text.utf8.dropFirst(isNegative ? 1 : 0)
            .split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty, whole.count <= 131_072,
              parts.count == 1 || (1...16_383).contains(parts[1].count),
              parts.allSatisfy({ $0.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } })
        else { return nil }
        let fraction = parts.count == 2 ? Array(parts[1]) : []

        // Groups of four decimal digits have to meet at the point: zeros fill the first and the last group.
        let zero = UInt8(ascii: "0")
        let leading = (4 - whole.count % 4) % 4
        let trailing = (4 - fraction.count % 4) % 4
        let decimals = Array(repeating: zero, count: leading) + whole + fraction + Array(repeating: zero, count: trailing)
        var digits = stride(from: 0, to: decimals.count, by: 4).map { start in
            decimals[start..<start + 4].reduce(Int16(0)) { $0 * 10 + Int16($1 - zero) }
        }
        var weight = (leading + whole.count) / 4 - 1
        while digits.first == 0 { digits.removeFirst(); weight -= 1 }
        while digits.last == 0 { digits.removeLast() }
        self.init(
            sign: isNegative && !digits.isEmpty ? Self.negative : 0,
            weight: digits.isEmpty ? 0 : Int16(weight), scale: UInt16(fraction.count), digits: digits
        )
    }

    var text: String {
        switch sign {
        case Self.notANumber: return "NaN"
        case Self.infinity: return "Infinity"
        case Self.negativeInfinity: return "-Infinity"
        default: break
        }
        func group(_ power: Int) -> String {
            let index = Int(weight) - power
            let text = String(digits.indices.contains(index) ? digits[index] : 0)
            return String(repeating: "0", count: 4 - text.utf8.count) + text
        }
        let whole = weight >= 0 ? (0...Int(weight)).reversed().map(group).joined().drop { $0 == "0" } : ""
        var result = (sign == Self.negative ? "-" : "") + (whole.isEmpty ? "0" : whole)
        if scale > 0 {
            let groups = (Int(scale) + 3) / 4
            result += "." + (1...groups).map { group(-$0) }.joined().prefix(Int(scale))
        }
        return result
    }
}
