package import Time

/// Moments at which something is due, as a crontab says them, to the second and in UTC: those whose every part is among the given
/// numbers. A part of which nothing is said may be anything, but for the second, which is 0.
package struct CronSchedule: Sendable, Hashable {
    private let months: Set<Int>?
    private let days: Set<Int>?
    /// 0 is Monday, as in arq.
    private let weekdays: Set<Int>?
    private let hours: [Int]
    private let minutes: [Int]
    private let seconds: [Int]

    package init(
        months: Set<Int>? = nil, days: Set<Int>? = nil, weekdays: Set<Int>? = nil, hours: Set<Int>? = nil, minutes: Set<Int>? = nil,
        seconds: Set<Int> = [0]
    ) {
        func part(_ values: Set<Int>?, _ range: ClosedRange<Int>) -> [Int] {
            let values = values ?? Set(range)
            precondition(!values.isEmpty && values.isSubset(of: range), "a part of a schedule is outside \(range)")
            return values.sorted()
        }
        _ = (part(months, 1...12), part(days, 1...31), part(weekdays, 0...6))
        self.months = months
        self.days = days
        self.weekdays = weekdays
        self.hours = part(hours, 0...23)
        self.minutes = part(minutes, 0...59)
        self.seconds = part(seconds, 0...59)
    }

    package static let everyMinute = CronSchedule()
    package static let hourly = CronSchedule(minutes: [0])

    /// Once a day.
    package static func daily(hour: Int, minute: Int = 0) -> CronSchedule { CronSchedule(hours: [hour], minutes: [minute]) }

    /// The first moment after this one; nil if there is none within nine years, such as 30 February.
    package func next(after instant: Instant) -> Instant? { nearest(to: instant.wholeSeconds + 1, step: 1) }

    /// The last moment that is not after this one; nil if there is none within nine years.
    package func latest(upTo instant: Instant) -> Instant? { nearest(to: instant.wholeSeconds, step: -1) }

    /// Looks day by day, and within a day at its times: from `second` on, forwards or backwards.
    private func nearest(to second: Int64, step: Int64) -> Instant? {
        let first = second.dividingDown(by: 86_400)
        // A leap day may be eight years away, around 2100.
        for offset in 0..<Int64(9 * 366) {
            let day = first + offset * step
            guard isDue(on: day) else { continue }
            let bound = offset == 0 ? Int(second - day * 86_400) : step > 0 ? 0 : 86_399
            if let time = step > 0 ? firstTime(from: bound) : lastTime(upTo: bound) {
                return Instant(microsecondsSinceEpoch: (day * 86_400 + Int64(time)) * 1_000_000)
            }
        }
        return nil
    }

    private func isDue(on day: Int64) -> Bool {
        let date = CivilDate(daysSinceEpoch: day)
        // 1970-01-01 was a Thursday.
        let weekday = Int((day + 3) - (day + 3).dividingDown(by: 7) * 7)
        return months?.contains(Int(date.month)) ?? true && days?.contains(Int(date.day)) ?? true && weekdays?.contains(weekday) ?? true
    }

    private func firstTime(from bound: Int) -> Int? {
        for hour in hours where hour >= bound / 3_600 {
            for minute in minutes where hour * 3_600 + minute * 60 + 59 >= bound {
                if let second = seconds.first(where: { hour * 3_600 + minute * 60 + $0 >= bound }) {
                    return hour * 3_600 + minute * 60 + second
                }
            }
        }
        return nil
    }

    private func lastTime(upTo bound: Int) -> Int? {
        for hour in hours.reversed() where hour <= bound / 3_600 {
            for minute in minutes.reversed() where hour * 3_600 + minute * 60 <= bound {
                if let second = seconds.last(where: { hour * 3_600 + minute * 60 + $0 <= bound }) {
                    return hour * 3_600 + minute * 60 + second
                }
            }
        }
        return nil
    }
}

extension Instant {
    fileprivate var wholeSeconds: Int64 { microsecondsSinceEpoch.dividingDown(by: 1_000_000) }
}

extension Int64 {
    fileprivate func dividingDown(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
