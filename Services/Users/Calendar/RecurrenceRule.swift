internal import Application
internal import Time

/// How an entry comes again: an RRULE of RFC 5545, section 3.3.10, of the parts that calendars of people use. Each part stands once.
///
/// Refused are rules by hour, minute and second, BYSETPOS, BYWEEKNO and BYYEARDAY.
struct RecurrenceRule: Hashable, Sendable {
    /// As iCalendar writes it, without its name.
    let text: String
    /// How its end is written: as a day, as an instant, or not at all.
    let until: Until?

    enum Until: Hashable, Sendable { case day, instant }

    static let maxCharacters = 500

    init(_ given: String) throws(InvalidValue) {
        guard !given.isEmpty, given.utf8.count <= Self.maxCharacters, given.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Self.invalid
        }
        var parts: [Substring: Substring] = [:]
        for part in given.split(separator: ";", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, parts.updateValue(sides[1], forKey: sides[0]) == nil, Self.isPart(sides[0], sides[1]) else {
                throw Self.invalid
            }
        }
        // Section 3.3.10: FREQ is needed, and COUNT and UNTIL must not stand together.
        guard let frequency = parts["FREQ"], parts["COUNT"] == nil || parts["UNTIL"] == nil else { throw Self.invalid }
        // A number before a weekday, as in the second Monday, makes sense within months and years.
        let hasOrdinals = parts["BYDAY"]?.contains(where: \.isNumber) ?? false
        guard !hasOrdinals || frequency == "MONTHLY" || frequency == "YEARLY", parts["BYMONTHDAY"] == nil || frequency != "WEEKLY" else {
            throw Self.invalid
        }
        text = given
        until = parts["UNTIL"].map { $0.utf8.count == 8 ? .day : .instant }
    }

    private static let invalid = InvalidValue("is not an RRULE such as FREQ=WEEKLY;BYDAY=MO,TH")
    private static let weekdays: Set<Substring> = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]

    private static func isPart(_ name: Substring, _ value: Substring) -> Bool {
        switch name {
        case "FREQ": ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"].contains(value)
        case "INTERVAL", "COUNT": number(value).map { (1...1_000).contains($0) } ?? false
        case "UNTIL": isDay(value.prefix(8)) && (value.utf8.count == 8 || isTime(value.dropFirst(8)))
        case "WKST": weekdays.contains(value)
        case "BYDAY": isList(value, most: 35) { weekdays.contains($0.suffix(2)) && isOrdinal($0.dropLast(2), most: 53) }
        case "BYMONTHDAY": isList(value, most: 31) { !$0.isEmpty && isOrdinal($0, most: 31) }
        case "BYMONTH": isList(value, most: 12) { number($0).map { (1...12).contains($0) } ?? false }
        default: false
        }
    }

    private static func isList(_ value: Substring, most: Int, _ isItem: (Substring) -> Bool) -> Bool {
        let items = value.split(separator: ",", omittingEmptySubsequences: false)
        return items.count <= most && items.allSatisfy(isItem)
    }

    /// Nothing, or a number that is not 0 and may have a sign.
    private static func isOrdinal(_ text: Substring, most: Int) -> Bool {
        let digits = text.first == "-" || text.first == "+" ? text.dropFirst() : text
        return text.isEmpty || (number(digits).map { (1...most).contains($0) } ?? false)
    }

    private static func isDay(_ text: Substring) -> Bool {
        CivilDate("\(text.prefix(4))-\(text.dropFirst(4).prefix(2))-\(text.dropFirst(6))") != nil
    }

    private static func isTime(_ text: Substring) -> Bool {
        let digits = text.dropFirst().dropLast()
        guard text.first == "T", text.last == "Z", digits.utf8.count == 6, let all = number(digits) else { return false }
        return all / 10_000 < 24 && all / 100 % 100 < 60 && all % 100 < 60
    }

    private static func number(_ digits: Substring) -> Int? {
        digits.utf8.allSatisfy(\.isASCIIDigit) && digits.utf8.count <= 6 ? Int(digits) : nil
    }
}
