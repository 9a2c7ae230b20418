/// How far samples are from each other. It is kept to the picosecond, so that thousands of samples, a 128th of a second apart, are where they were to
/// the microsecond.
package struct SamplePeriod: Hashable, Sendable {
    package let picoseconds: Int64

    fileprivate static let longest: Int64 = 86_400_000_000_000_000
    /// How far the last sample may be behind the first: 90 days, which 64 bits have in picoseconds.
    fileprivate static let mostMicroseconds: Int64 = 7_776_000_000_000

    /// `nil` for what is not positive, or longer than a day.
    package init?(picoseconds: Int64) {
        guard (1...Self.longest).contains(picoseconds) else { return nil }
        self.picoseconds = picoseconds
    }

    /// Reads what FHIR calls it: a decimal of milliseconds.
    init?(milliseconds digits: String) {
        var (number, places) = (Int64(0), nil as Int?)
        for byte in digits.utf8 {
            switch byte {
            case UInt8(ascii: "."): places = 0
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                // A part below a picosecond is dropped.
                if places == 9 { continue }
                places = places.map { $0 + 1 }
                guard number <= Self.longest else { return nil }
                number = number * 10 + Int64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                guard let milliseconds = Double(digits), (0...86_400_000).contains(milliseconds) else { return nil }
                self.init(picoseconds: Int64((milliseconds * 1e9).rounded()))
                return
            default: return nil
            }
        }
        for _ in (places ?? 0)..<9 {
            guard number <= Self.longest else { return nil }
            number *= 10
        }
        self.init(picoseconds: number)
    }

    var milliseconds: String {
        let (whole, rest) = picoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        guard rest > 0 else { return "\(whole)" }
        let digits = String(rest)
        var fraction = String(repeating: "0", count: 9 - digits.utf8.count) + digits
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(whole).\(fraction)"
    }

    /// How far a sample is behind the first, which has the index 0, to the nearest microsecond; `nil` beyond 90 days.
    package func microseconds(behindFirst index: Int) -> Int64? {
        let (product, overflow) = picoseconds.multipliedReportingOverflow(by: Int64(index))
        let (sum, carried) = product.addingReportingOverflow(500_000)
        guard !overflow, !carried, sum / 1_000_000 <= Self.mostMicroseconds else { return nil }
        return sum / 1_000_000
    }
}

/// The periods by which samples are where they are: all of them at first, and fewer with each sample.
package struct SamplePeriodRange: Hashable, Sendable {
    private var least: Int64 = 1
    private var greatest = SamplePeriod.longest

    package init() {}

    /// Leaves those by which also the sample with an index, from 1, is so far behind the first. Answers whether there are any; else nothing is left out.
    package mutating func narrow(to microseconds: Int64, behindFirst index: Int) -> Bool {
        guard microseconds > 0, microseconds <= SamplePeriod.mostMicroseconds else { return false }
        let (picoseconds, index) = (microseconds * 1_000_000, Int64(index))
        let low = max(least, (picoseconds - 500_000 + index - 1) / index)
        let high = min(greatest, (picoseconds + 499_999) / index)
        guard low <= high else { return false }
        (least, greatest) = (low, high)
        return true
    }

    /// The one with the fewest digits, of whole milliseconds if one is.
    package var roundest: SamplePeriod? {
        for unit: Int64 in [1_000_000_000, 1_000_000, 1_000, 1] {
            let candidate = (least + unit - 1) / unit * unit
            if candidate <= greatest { return SamplePeriod(picoseconds: candidate) }
        }
        return nil
    }
}
