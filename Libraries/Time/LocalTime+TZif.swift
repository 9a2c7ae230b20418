extension LocalTime {
    /// Reads a file of the tz database, of version 2 or later (RFC 8536); `nil` if the bytes are no such file.
    package init?(tzif bytes: [UInt8]) {
        var reader = TZifReader(rest: bytes[...])
        // The first part has 32-bit times and is for programs of before 2005.
        guard let old = reader.header(), old.version >= UInt8(ascii: "2"), reader.skip(old.size(ofTime: 4)),
            let counts = reader.header(), let content = reader.content(counts)
        else { return nil }
        guard reader.take("\n"), let footer = reader.line() else { return nil }
        let rule = footer.isEmpty ? nil : YearlyRule(posix: footer)
        guard footer.isEmpty || rule != nil else { return nil }
        self.init(changes: content.changes, firstOffset: content.firstOffset, rule: rule)
    }
}

private struct TZifReader {
    struct Counts {
        let version: UInt8
        let isUTC: Int, isStandard: Int, leaps: Int, times: Int, types: Int, characters: Int

        func size(ofTime bytes: Int) -> Int { times * (bytes + 1) + types * 6 + characters + leaps * (bytes + 4) + isStandard + isUTC }
    }

    var rest: ArraySlice<UInt8>

    mutating func header() -> Counts? {
        guard take("TZif"), let version = bytes(1)?.first, bytes(15) != nil else { return nil }
        var counts: [Int] = []
        for _ in 0..<6 {
            guard let count = number(4), count >= 0 else { return nil }
            counts.append(Int(count))
        }
        return Counts(
            version: version, isUTC: counts[0], isStandard: counts[1], leaps: counts[2], times: counts[3], types: counts[4],
            characters: counts[5])
    }

    mutating func content(_ counts: Counts) -> (changes: [LocalTime.Change], firstOffset: Int64)? {
        // A file with leap seconds ("right/Europe/Berlin") counts them, which no clock here does: its changes would come half a minute late.
        guard counts.types > 0, counts.leaps == 0, counts.size(ofTime: 8) <= rest.count else { return nil }
        var times: [Int64] = []
        for _ in 0..<counts.times {
            guard let time = number(8) else { return nil }
            times.append(time)
        }
        guard let kinds = bytes(counts.times) else { return nil }
        var offsets: [Int64] = []
        for _ in 0..<counts.types {
            guard let offset = number(4), bytes(2) != nil else { return nil }
            offsets.append(offset)
        }
        guard kinds.allSatisfy({ $0 < counts.types }), zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }),
            offsets.allSatisfy({ abs($0) < 93_600 }), skip(counts.characters + counts.isStandard + counts.isUTC)
        else { return nil }
        // What is in force before the first change is the first type (RFC 8536, section 3.2).
        return (zip(times, kinds).map { LocalTime.Change(start: $0, offset: offsets[Int($1)]) }, offsets[0])
    }

    mutating func skip(_ count: Int) -> Bool { bytes(count) != nil }

    mutating func take(_ text: StaticString) -> Bool {
        let wanted = Array("\(text)".utf8)
        guard rest.starts(with: wanted) else { return false }
        rest = rest.dropFirst(wanted.count)
        return true
    }

    mutating func line() -> ArraySlice<UInt8>? {
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        return rest[..<end]
    }

    private mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private mutating func number(_ count: Int) -> Int64? {
        guard let bytes = bytes(count), let first = bytes.first else { return nil }
        return bytes.dropFirst().reduce(Int64(Int8(bitPattern: first))) { $0 << 8 | Int64($1) }
    }
}

extension YearlyRule {
    /// Reads the value of a TZ variable, such as `CET-1CEST,M3.5.0,M10.5.0/3`.
    init?(posix text: ArraySlice<UInt8>) {
        var rule = POSIXRule(rest: text)
        guard rule.skipName(), let standard = rule.time(hours: 24) else { return nil }
        standardOffset = -standard
        guard !rule.rest.isEmpty else {
            summer = nil
            return
        }
        guard rule.skipName() else { return nil }
        var offset = standardOffset + 3_600
        if rule.rest.first != UInt8(ascii: ",") {
            guard let given = rule.time(hours: 24) else { return nil }
            offset = -given
        }
        guard let start = rule.day(), let startSecond = rule.dayTime(), let end = rule.day(), let endSecond = rule.dayTime(),
            rule.rest.isEmpty
        else { return nil }
        summer = Summer(offset: offset, start: start, startSecond: startSecond, end: end, endSecond: endSecond)
    }
}

private struct POSIXRule {
    var rest: ArraySlice<UInt8>

    mutating func skipName() -> Bool {
        if take("<") {
            rest = rest.drop { $0 != UInt8(ascii: ">") }
            return take(">")
        }
        let before = rest.count
        rest = rest.drop { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }
        return before - rest.count >= 3
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    mutating func time(hours most: Int64) -> Int64? {
        let isNegative = take("-")
        if !isNegative { _ = take("+") }
        guard let hours = number(), hours <= most else { return nil }
        var seconds = hours * 3_600
        for unit in [Int64(60), 1] where take(":") {
            guard let part = number(), part < 60 else { return nil }
            seconds += part * unit
        }
        return isNegative ? -seconds : seconds
    }

    mutating func day() -> YearlyRule.Day? {
        guard take(",") else { return nil }
        if take("J") {
            guard let number = number(), (1...365).contains(number) else { return nil }
            return .julian(number)
        }
        if take("M") {
            guard let month = number(), (1...12).contains(month), take("."), let week = number(), (1...5).contains(week), take("."),
                let day = number(), day <= 6
            else { return nil }
            return .weekday(month: month, week: week, day: day)
        }
        guard let number = number(), number <= 365 else { return nil }
        return .zeroBased(number)
    }

    mutating func dayTime() -> Int64? { take("/") ? time(hours: 167) : 7_200 }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    private mutating func number() -> Int64? {
        let digits = rest.prefix(while: { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        guard (1...3).contains(digits.count) else { return nil }
        rest = rest.dropFirst(digits.count)
        return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }
}
