internal import FoundationEssentials
internal import Postgres
internal import Time

extension MedicationSchedule {
    /// A schedule as the tables hold it.
    private struct Stored: Codable {
        var timeZone: String?
        var times: [String]?
        var days: [Int]?
        var intervalDays: Int?
        var everyHours: Int?
        var firstTime: String?

        enum CodingKeys: String, CodingKey {
            case timeZone = "time_zone", times, days
            case intervalDays = "interval_days", everyHours = "every_hours", firstTime = "first_time"
        }
    }

    var json: JSONB {
        get throws {
            var stored = Stored(timeZone: zone)
            switch plan {
            case .asNeeded: break
            case .timesOfDay(let times, let pattern):
                stored.times = times.map(\.text)
                switch pattern {
                case .everyDay: break
                case .weekdays(let days): stored.days = days.sorted()
                case .interval(let days): stored.intervalDays = days
                }
            case .everyHours(let hours, let first):
                stored.everyHours = hours
                stored.firstTime = first.text
            }
            return JSONB(String(decoding: try JSONEncoder().encode(stored), as: UTF8.self))
        }
    }

    /// What a table holds. Without times it is as needed, and without a zone by UTC.
    init(stored json: JSONB) throws(PostgresError) {
        let stored: Stored
        do { stored = try JSONDecoder().decode(Stored.self, from: Data(json.text.utf8)) } catch {
            throw PostgresError(.decoding, "Column “schedule” does not hold a schedule.")
        }
        zone = stored.timeZone ?? "UTC"
        if let hours = stored.everyHours, hours > 0 {
            plan = .everyHours(hours, first: stored.firstTime.flatMap(TimeOfDay.init(text:)) ?? TimeOfDay(minutes: 0))
        } else if let times = stored.times?.compactMap(TimeOfDay.init(text:)), !times.isEmpty {
            let pattern: DayPattern =
                if let days = stored.intervalDays, days > 0 { .interval(days) } else if let days = stored.days, days.count < 7 { .weekdays(Set(days)) } else { .everyDay }
            plan = .timesOfDay(times.sorted(), pattern)
        } else {
            plan = .asNeeded
        }
    }
}

extension MedicationSchedule.TimeOfDay {
    /// Reads `08:00`.
    init?(text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 5, bytes[2] == UInt8(ascii: ":"), [0, 1, 3, 4].allSatisfy({ bytes[$0].isASCIIDigit }) else { return nil }
        func digit(_ index: Int) -> Int { Int(bytes[index] - UInt8(ascii: "0")) }
        let (hour, minute) = (digit(0) * 10 + digit(1), digit(3) * 10 + digit(4))
        guard hour < 24, minute < 60 else { return nil }
        minutes = hour * 60 + minute
    }

    var text: String {
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(padded(minutes / 60)):\(padded(minutes % 60))"
    }
}
