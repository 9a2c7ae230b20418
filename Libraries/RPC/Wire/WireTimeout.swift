/// The value of `grpc-timeout`: at most eight digits and a unit.
enum WireTimeout {
    /// `nil` when the text is not a timeout.
    static func parse(_ text: String) -> Duration? {
        let digits = text.utf8.dropLast()
        guard let unit = text.utf8.last, (1...8).contains(digits.count) else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        switch unit {
        case UInt8(ascii: "H"): return .seconds(value * 3_600)
        case UInt8(ascii: "M"): return .seconds(value * 60)
        case UInt8(ascii: "S"): return .seconds(value)
        case UInt8(ascii: "m"): return .milliseconds(value)
        case UInt8(ascii: "u"): return .microseconds(value)
        case UInt8(ascii: "n"): return .nanoseconds(value)
        default: return nil
        }
    }

    /// Writes the duration in the finest unit whose eight digits can hold it, rounded up so that the callee never gives
    /// up before the caller. What is zero or less becomes one nanosecond.
    static func format(_ duration: Duration) -> String {
        if duration <= .zero { return "1n" }
        let (seconds, attoseconds) = duration.components
        if seconds < 1_000_000 {
            let microseconds = seconds * 1_000_000 + roundUp(attoseconds, 1_000_000_000_000)
            if microseconds <= limit { return "\(microseconds)u" }
            let milliseconds = seconds * 1_000 + roundUp(attoseconds, 1_000_000_000_000_000)
            if milliseconds <= limit { return "\(milliseconds)m" }
        }
        let whole = attoseconds > 0 ? seconds + 1 : seconds
        if whole <= limit { return "\(whole)S" }
        if roundUp(whole, 60) <= limit { return "\(roundUp(whole, 60))M" }
        return "\(min(roundUp(whole, 3_600), limit))H"
    }

    private static let limit: Int64 = 99_999_999

    private static func roundUp(_ value: Int64, _ unit: Int64) -> Int64 {
        value / unit + (value % unit > 0 ? 1 : 0)
    }
}
