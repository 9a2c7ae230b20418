extension Instant: CustomStringConvertible {
    /// The instant in UTC as RFC 3339 writes it: `2026-02-21T08:30:00Z`, with three or six digits of fraction when
    /// they are not zero. Years outside 0000…9999, which RFC 3339 cannot write, get a sign as in ISO 8601.
    package var rfc3339: String {
        let (days, microsecondOfDay) = microsecondsSinceEpoch.flooredQuotientAndRemainder(dividingBy: 86_400_000_000)
        let date = CivilDate(daysSinceEpoch: days)
        let second = microsecondOfDay / 1_000_000
        let fraction = microsecondOfDay % 1_000_000

        guard (0...9_999).contains(date.year) else { return date.description + Self.timeOfDay(second, fraction, behind: []) }
        var text: [UInt8] = []
        text.reserveCapacity(27)
        text.append(date.year, digits: 4)
        text.append(UInt8(ascii: "-"))
        text.append(date.month, digits: 2)
        text.append(UInt8(ascii: "-"))
        text.append(date.day, digits: 2)
        return Self.timeOfDay(second, fraction, behind: text)
    }

    private static func timeOfDay(_ second: Int64, _ fraction: Int64, behind date: [UInt8]) -> String {
        var text = date
        for (mark, number) in [(UInt8(ascii: "T"), second / 3_600), (UInt8(ascii: ":"), second / 60 % 60), (UInt8(ascii: ":"), second % 60)] {
            text.append(mark)
            text.append(number, digits: 2)
        }
        if fraction != 0 {
            text.append(UInt8(ascii: "."))
            if fraction % 1_000 == 0 { text.append(fraction / 1_000, digits: 3) } else { text.append(fraction, digits: 6) }
        }
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    package var description: String { rfc3339 }

    /// Reads an RFC 3339 time with any offset; digits below a microsecond are dropped. `nil` if the text is not one.
    ///
    /// A leap second (`:60`) is taken as the first moment of the next minute, which is what POSIX time does.
    package init?(rfc3339 text: String) {
        var scanner = DigitScanner(text.utf8)
        guard let year = scanner.digits(4), scanner.take("-"),
              let month = scanner.digits(2), (1...12).contains(month), scanner.take("-"),
              let day = scanner.digits(2), day >= 1, day <= CivilDate.days(inMonth: month, of: year),
              scanner.take("T", "t", " "),
              let hour = scanner.digits(2), hour <= 23, scanner.take(":"),
              let minute = scanner.digits(2), minute <= 59, scanner.take(":"),
              let second = scanner.digits(2), second <= 60
        else { return nil }

        var microseconds: Int64 = 0
        if scanner.take(".") {
            guard let fraction = scanner.fraction() else { return nil }
            microseconds = fraction
        }
        guard let offset = scanner.offsetSeconds(), scanner.isAtEnd else { return nil }

        let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
        self.init(microsecondsSinceEpoch: seconds * 1_000_000 + microseconds)
    }
}

extension [UInt8] {
    /// Appends a number that is not negative, with zeros before it.
    fileprivate mutating func append(_ number: Int64, digits: Int) {
        var power: Int64 = 1
        for _ in 1..<digits { power *= 10 }
        while power > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / power % 10))
            power /= 10
        }
    }
}

/// Reads the fixed-width numbers of a timestamp.
private struct DigitScanner {
    private let text: [UInt8]
    private var position = 0

    init(_ text: String.UTF8View) { self.text = Array(text) }

    var isAtEnd: Bool { position == text.count }

    mutating func digits(_ count: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<count {
            guard let digit = nextDigit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    mutating func take(_ characters: Unicode.Scalar...) -> Bool {
        guard position < text.count, characters.contains(Unicode.Scalar(text[position])) else { return false }
        position += 1
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
        if take("Z", "z") { return 0 }
        let isNegative: Bool
        if take("+") { isNegative = false } else if take("-") { isNegative = true } else { return nil }
        guard let hours = digits(2), hours <= 23, take(":"), let minutes = digits(2), minutes <= 59 else { return nil }
        let seconds = hours * 3_600 + minutes * 60
        return isNegative ? -seconds : seconds
    }

    private mutating func nextDigit() -> Int64? {
        guard position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) else { return nil }
        defer { position += 1 }
        return Int64(text[position] - UInt8(ascii: "0"))
    }
}
