internal import Time

/// When a medication is taken, by the clocks of one place.
struct MedicationSchedule: Hashable, Sendable {
    enum Plan: Hashable, Sendable {
        /// Seconds of the day, in their order.
        case timesOfDay([TimeOfDay], DayPattern)
        /// So many hours apart, whatever clocks do, from a time of the first day on.
        case everyHours(Int, first: TimeOfDay)
        case asNeeded
    }

    enum DayPattern: Hashable, Sendable {
        case everyDay
        /// 1 (Monday) to 7 (Sunday).
        case weekdays(Set<Int>)
        /// Every so many days from the first on.
        case interval(Int)
    }

    struct TimeOfDay: Hashable, Sendable, Comparable {
        let minutes: Int

        static func < (left: TimeOfDay, right: TimeOfDay) -> Bool { left.minutes < right.minutes }
    }

    /// Its name in the tz database.
    let zone: String
    let plan: Plan

    /// The days on which it holds.
    struct Days: Hashable, Sendable {
        let first: CivilDate
        let last: CivilDate?

        func contains(_ day: CivilDate) -> Bool { first <= day && (last.map { day <= $0 } ?? true) }
    }

    /// The doses that are due within a period, in their order and each once. A local time that clocks skip is due when they have skipped it,
    /// and one that they show twice the first time; two that fall on one instant by that are one dose, for nobody should take two at once.
    func doses(in period: Period, on days: Days, by clocks: LocalTime) -> [Instant] {
        let doses: [Instant] = switch plan {
        case .asNeeded: []
        case .timesOfDay(let times, let pattern): doses(at: times, pattern, in: period, on: days, by: clocks)
        case .everyHours(let hours, let first): doses(every: hours, from: first, in: period, on: days, by: clocks)
        }
        return doses
    }

    private func doses(
        at times: [TimeOfDay], _ pattern: DayPattern, in period: Period, on days: Days, by clocks: LocalTime
    ) -> [Instant] {
        // A time that is skipped may be due on the next day: at midnight, or after a day that a place left out.
        let begin = max(clocks.date(at: period.start).daysSinceEpoch - 1, days.first.daysSinceEpoch)
        let end = min(clocks.date(at: period.end).daysSinceEpoch, days.last?.daysSinceEpoch ?? .max)
        guard begin <= end else { return [] }
        var doses: [Instant] = []
        for number in begin...end where pattern.holds(on: number, since: days.first) {
            for time in times {
                let dose = clocks.instant(of: CivilDate(daysSinceEpoch: number), second: Int64(time.minutes) * 60)
                if dose >= period.start, dose < period.end, doses.last.map({ $0 < dose }) ?? true { doses.append(dose) }
            }
        }
        return doses
    }

    private func doses(every hours: Int, from first: TimeOfDay, in period: Period, on days: Days, by clocks: LocalTime) -> [Instant] {
        let anchor = clocks.instant(of: days.first, second: Int64(first.minutes) * 60).microsecondsSinceEpoch
        let end = days.last.map { clocks.instant(of: CivilDate(daysSinceEpoch: $0.daysSinceEpoch + 1)) }.map { min($0, period.end) } ?? period.end
        let step = Int64(hours) * 3_600_000_000
        let behind = max(0, period.start.microsecondsSinceEpoch - anchor)
        var dose = anchor + (behind + step - 1) / step * step
        var doses: [Instant] = []
        while dose < end.microsecondsSinceEpoch {
            doses.append(Instant(microsecondsSinceEpoch: dose))
            dose += step
        }
        return doses
    }
}

extension MedicationSchedule.DayPattern {
    func holds(on day: Int64, since first: CivilDate) -> Bool {
        switch self {
        case .everyDay: true
        // 1970-01-01 was a Thursday.
        case .weekdays(let days): days.contains(Int(((day + 3) % 7 + 7) % 7) + 1)
        case .interval(let days): (day - first.daysSinceEpoch) % Int64(days) == 0
        }
    }
}
