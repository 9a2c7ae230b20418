extension Instant: CustomStringConvertible {
    /// The instant in UTC as RFC 3339 writes it: `2026-02-21T08:30:00Z`, with three or six digits of fraction when
    /// they are not zero. Years outside 0000…9999, which RFC 3339 cannot write, get a sign as in ISO 8601.
    package var rfc3339: String {
        let (days, microsecondOfDay) = microsecondsSinceEpoch.flooredQuotientAndRemainder(dividingBy: 86_400_000_000)
        let date = CivilDate(daysSinceEpoch: days)
        let second = microsecondOfDay / 1_000_000
        let fraction = microsecondOfDay % 1_000_000

        var text = date.description
        text += "T\(padded(second / 3_600, to: 2)):\(padded(second / 60 % 60, to: 2)):\(padded(second % 60, to: 2))"
        if fraction % 1_000 != 0 {
            text += ".\(padded(fraction, to: 6))"
        } else if fraction != 0 {
            text += ".\(padded(fraction / 1_000, to: 3))"
        }
        return text + "Z"
    }

    package var description: String { rfc3339 }

    /// Reads an RFC 3339 time with any offset; digits below a microsecond are dropped. `nil` if the text is not one.
    ///
    /// A leap second (`:60`) is taken as the first moment of the next minute, which is what POSIX time does.
    package init?(rfc3339 text: String) {
        var scanner = DigitScanner(text.utf8)
        guard let year = scanner.digits(4), scanner.take(any: "-"),
              let month = scanner.digits(2), (1...12).contains(month), scanner.take(any: "-"),
              let day = scanner.digits(2), day >= 1, day <= CivilDate.days(inMonth: month, of: year),
              scanner.take(any: "Tt "),
              let hour = scanner.digits(2), hour <= 23, scanner.take(any: ":"),
              let minute = scanner.digits(2), minute <= 59, scanner.take(any: ":"),
              let second = scanner.digits(2), second <= 60
        else { return nil }

        var microseconds: Int64 = 0
        if scanner.take(any: ".") {
            guard let fraction = scanner.fraction() else { return nil }
            microseconds = fraction
        }
        guard let offset = scanner.offsetSeconds(), scanner.isAtEnd else { return nil }

        let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
        self.init(microsecondsSinceEpoch: seconds * 1_000_000 + microseconds)
    }
}

/// Reads the fixed-width numbers of a timestamp.
private struct DigitScanner {
    private var rest: Substring.UTF8View

    init(_ text: String.UTF8View) { rest = text[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func digits(_ count: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<count {
            guard let digit = nextDigit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    mutating func take(any characters: StaticString) -> Bool {
        guard let next = rest.first, "\(characters)".utf8.contains(next) else { return false }
        rest.removeFirst()
        return true
    }

    /// The digits after the point as microseconds; at least one has to be there.
    mutating func fraction() -> Int64? {
        var value: Int64 = 0
        var count = 0
        while let digit = nextDigit() {
            if count < 6 { value = value * 10 + digit }
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in 0..<max(0, 6 - count) { value *= 10 }
        return value
    }

    /// `Z`, `+hh:mm` or `-hh:mm`.
    mutating func offsetSeconds() -> Int64? {
        if take(any: "Zz") { return 0 }
        let isNegative: Bool
        if take(any: "+") { isNegative = false } else if take(any: "-") { isNegative = true } else { return nil }
        guard let hours = digits(2), hours <= 23, take(any: ":"), let minutes = digits(2), minutes <= 59 else { return nil }
        let seconds = hours * 3_600 + minutes * 60
        return isNegative ? -seconds : seconds
    }

    private mutating func nextDigit() -> Int64? {
        guard let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        rest.removeFirst()
        return Int64(byte - UInt8(ascii: "0"))
    }
}
