/// What clocks on the wall showed and will show in one place: the offsets from UTC, and when they change.
///
/// It is what a file of the tz database holds (TZif, RFC 8536): the changes that are known, and a rule for the years after them. Nothing
/// here reads a file or a clock.
package struct LocalTime: Sendable, Hashable {
    /// From `start` on, clocks are so many seconds ahead of UTC. Seconds since 1970.
    struct Change: Sendable, Hashable {
        let start: Int64
        let offset: Int64
    }

    /// In the order of their times.
    let changes: [Change]
    /// Before the first change.
    let firstOffset: Int64
    /// After the last.
    let rule: YearlyRule?

    package static let utc = LocalTime(changes: [], firstOffset: 0, rule: nil)

    /// How many seconds clocks were ahead of UTC.
    package func offset(at instant: Instant) -> Int64 { offset(atSecond: instant.second) }

    /// The day that a calendar on the wall showed.
    package func date(at instant: Instant) -> CivilDate {
        CivilDate(daysSinceEpoch: (instant.second + offset(at: instant)).flooredQuotientAndRemainder(dividingBy: 86_400).quotient)
    }

    /// When clocks showed a time of a day, in seconds since its midnight. If they showed it twice, the first time; if they never did,
    /// because they were put forward over it, the moment at which they were.
    package func instant(of date: CivilDate, second: Int64 = 0) -> Instant {
        let local = date.daysSinceEpoch * 86_400 + second
        // No place is further than a day from UTC, so one of these offsets, or of those between, was in force.
        var offset = offset(atSecond: local - 86_400)
        for change in self.changes(after: local - 86_400, through: local + 86_400) {
            if local - offset < change.start { break }
            // Clocks that were put back show the time before and after; those that were put forward may have left it out.
            if local - change.offset < change.start { return Instant(second: change.start) }
            offset = change.offset
        }
        return Instant(second: local - offset)
    }

    private func offset(atSecond second: Int64) -> Int64 {
        if let last = changes.last, second >= last.start, let rule { return rule.offset(atSecond: second) ?? last.offset }
        guard let first = changes.first, second >= first.start else {
            return changes.isEmpty ? rule?.offset(atSecond: second) ?? firstOffset : firstOffset
        }
        return changes[index(behind: second) - 1].offset
    }

    /// Of the first change that comes later.
    private func index(behind second: Int64) -> Int {
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].start <= second { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func changes(after start: Int64, through end: Int64) -> [Change] {
        let known = changes[index(behind: start)..<max(index(behind: start), index(behind: end))]
        guard let rule, changes.last.map({ end > $0.start }) ?? true else { return Array(known) }
        return known + rule.changes(after: max(start, changes.last?.start ?? start), through: end)
    }
}

/// On which days of a year clocks are put forward and back, and when: the TZ variable of POSIX, with RFC 8536's hours from -167 to 167.
struct YearlyRule: Sendable, Hashable {
    enum Day: Sendable, Hashable {
        /// 1 to 365; 29 February is never counted.
        case julian(Int64)
        /// 0 to 365.
        case zeroBased(Int64)
        /// The week 5 is the last that the month has. The day 0 is Sunday.
        case weekday(month: Int64, week: Int64, day: Int64)

        func daysSinceEpoch(in year: Int64) -> Int64 {
            let first = CivilDate(year: year, month: 1, day: 1).daysSinceEpoch
            switch self {
            case .julian(let number):
                let isLeap = CivilDate.days(inMonth: 2, of: year) == 29
                return first + number - (isLeap && number >= 60 ? 0 : 1)
            case .zeroBased(let number): return first + number
            case .weekday(let month, let week, let day):
                let begin = CivilDate(year: year, month: month, day: 1).daysSinceEpoch
                // 1970-01-01 was a Thursday.
                let wait = (day - (begin + 4)).flooredQuotientAndRemainder(dividingBy: 7).remainder
                let found = begin + wait + (week - 1) * 7
                return found < begin + CivilDate.days(inMonth: month, of: year) ? found : found - 7
            }
        }
    }

    struct Summer: Sendable, Hashable {
        let offset: Int64
        let start: Day
        let startSecond: Int64
        let end: Day
        let endSecond: Int64
    }

    let standardOffset: Int64
    let summer: Summer?

    /// `nil` if there is no change by which to know it, so that the last one that is known holds on.
    func offset(atSecond second: Int64) -> Int64? {
        guard summer != nil else { return standardOffset }
        return changes(after: second - 400 * 86_400, through: second).last?.offset
    }

    func changes(after start: Int64, through end: Int64) -> [LocalTime.Change] {
        guard let summer else { return [] }
        let years = [start, end].map { CivilDate(daysSinceEpoch: $0.flooredQuotientAndRemainder(dividingBy: 86_400).quotient).year }
        return (years[0] - 1...years[1] + 1).flatMap { year in
            [
                LocalTime.Change(
                    start: summer.start.daysSinceEpoch(in: year) * 86_400 + summer.startSecond - standardOffset, offset: summer.offset),
                LocalTime.Change(
                    start: summer.end.daysSinceEpoch(in: year) * 86_400 + summer.endSecond - summer.offset, offset: standardOffset),
            ]
        }
        .filter { $0.start > start && $0.start <= end }
        .sorted { $0.start < $1.start }
    }
}

extension Instant {
    fileprivate var second: Int64 { microsecondsSinceEpoch.flooredQuotientAndRemainder(dividingBy: 1_000_000).quotient }

    fileprivate init(second: Int64) { self.init(microsecondsSinceEpoch: second * 1_000_000) }
}
