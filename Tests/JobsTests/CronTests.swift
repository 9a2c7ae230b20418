import Jobs
import Redis
import TestSupport
import Testing
import Time

@testable import Jobs

private func at(_ text: String) -> Instant {
    guard let instant = Instant(rfc3339: text) else { preconditionFailure("\(text) is no instant") }
    return instant
}

@Suite struct `Redis' clock` {
    private func reply(_ parts: String...) -> RESPValue { .array(parts.map { .bytes(Array($0.utf8)) }) }

    @Test func `is read to the microsecond, and an hour that no clock shows is no instant`() {
        #expect(Instant(redisTime: reply("1764383400", "000123"))?.microsecondsSinceEpoch == 1_764_383_400_000_123)
        #expect(Instant(redisTime: reply("9223372036854775807", "0")) == nil)
        #expect(Instant(redisTime: reply("9223372036854", "999999")) == nil)
        #expect(Instant(redisTime: reply("0", "1000000")) == nil && Instant(redisTime: reply("0")) == nil)
    }
}

@Suite struct `A cron schedule` {
    @Test(arguments: [
        (CronSchedule.everyMinute, "2026-11-29T02:30:00Z", "2026-11-29T02:31:00Z", "2026-11-29T02:30:00Z"),
        (CronSchedule.hourly, "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z", "2026-12-31T23:00:00Z"),
        (CronSchedule.daily(hour: 3), "2026-11-29T02:59:59.999999Z", "2026-11-29T03:00:00Z", "2026-11-28T03:00:00Z"),
        // 2026-11-29 is a Sunday; 0 is Monday.
        (CronSchedule(weekdays: [0], hours: [9], minutes: [30]), "2026-11-29T00:00:00Z", "2026-11-30T09:30:00Z", "2026-11-23T09:30:00Z"),
        (CronSchedule(months: [2], days: [29], hours: [0], minutes: [0]), "2097-01-01T00:00:00Z", "2104-02-29T00:00:00Z", "2096-02-29T00:00:00Z"),
        (CronSchedule(minutes: [0, 20, 40], seconds: [15, 45]), "2026-11-29T02:40:15Z", "2026-11-29T02:40:45Z", "2026-11-29T02:40:15Z"),
        (CronSchedule(minutes: [0, 20, 40], seconds: [15, 45]), "2026-11-29T02:40:45Z", "2026-11-29T03:00:15Z", "2026-11-29T02:40:45Z"),
        (CronSchedule(days: [31]), "2026-11-29T00:00:00Z", "2026-12-31T00:00:00Z", "2026-10-31T23:59:00Z"),
    ])
    func `knows the moment after another and the last one up to it`(schedule: CronSchedule, moment: String, next: String, latest: String) {
        #expect(schedule.next(after: at(moment)) == at(next))
        #expect(schedule.latest(upTo: at(moment)) == at(latest))
    }

    @Test func `of 30 February is never due`() {
        let never = CronSchedule(months: [2], days: [30])
        #expect(never.next(after: at("2026-01-01T00:00:00Z")) == nil)
        #expect(never.latest(upTo: at("2026-01-01T00:00:00Z")) == nil)
    }

    @Test func `goes the same way backwards as forwards`() {
        let schedule = CronSchedule(days: [1, 15, 28], hours: [4, 16], minutes: [7], seconds: [0, 30])
        var forwards: [Instant] = []
        var moment = at("2026-01-01T00:00:00Z")
        for _ in 0..<200 {
            moment = schedule.next(after: moment)!
            forwards.append(moment)
        }
        var backwards = [moment]
        while backwards.count < 200 { backwards.append(schedule.latest(upTo: backwards.last! - .microseconds(1))!) }
        #expect(forwards == backwards.reversed())
    }
}

@Suite struct `A cron entry` {
    private func entry(_ catchUp: CatchUp) -> CronEntry {
        CronEntry("hourly", .hourly, Job<Int?>("job"), catchUp: catchUp) { _ in nil }
    }

    @Test func `that is new has missed nothing`() {
        #expect(entry(.all(atMost: 9)).decision(last: nil, now: at("2026-11-29T02:30:00Z")) == .note(at("2026-11-29T02:00:00Z")))
    }

    @Test func `is due once for each of its moments`() {
        let last = at("2026-11-29T02:00:00Z")
        #expect(entry(.once).decision(last: last, now: at("2026-11-29T02:59:59Z")) == .nothing)
        #expect(entry(.skip).decision(last: last, now: at("2026-11-29T03:00:05Z")) == .fire([at("2026-11-29T03:00:00Z")]))
        #expect(entry(.once).decision(last: at("2026-11-29T03:00:00Z"), now: at("2026-11-29T03:00:05Z")) == .nothing)
    }

    @Test func `catches up as it is told`() {
        let last = at("2026-11-28T22:00:00Z")
        let now = at("2026-11-29T02:30:00Z")
        #expect(entry(.skip).decision(last: last, now: now) == .note(at("2026-11-29T02:00:00Z")))
        #expect(entry(.once).decision(last: last, now: now) == .fire([at("2026-11-29T02:00:00Z")]))
        #expect(
            entry(.all(atMost: 9)).decision(last: last, now: now)
                == .fire(["2026-11-28T23:00:00Z", "2026-11-29T00:00:00Z", "2026-11-29T01:00:00Z", "2026-11-29T02:00:00Z"].map(at)))
        #expect(
            entry(.all(atMost: 2)).decision(last: last, now: now) == .fire(["2026-11-29T01:00:00Z", "2026-11-29T02:00:00Z"].map(at)))
        // After years away too it looks no further than it has to.
        #expect(entry(.all(atMost: 2)).decision(last: at("1970-01-01T00:00:00Z"), now: now) == .fire(["2026-11-29T01:00:00Z", "2026-11-29T02:00:00Z"].map(at)))
    }

    @Test func `is due no second time when the clock goes back, nor dead when the clock was far ahead`() {
        let ahead = at("2026-11-29T12:00:00Z")
        #expect(entry(.once).decision(last: ahead, now: at("2026-11-29T02:30:00Z")) == .nothing)
        #expect(entry(.once).decision(last: ahead, now: at("2026-11-29T13:00:01Z")) == .fire([at("2026-11-29T13:00:00Z")]))
        #expect(entry(.once).decision(last: at("2036-11-29T12:00:00Z"), now: at("2026-11-29T02:30:00Z")) == .note(at("2026-11-29T02:00:00Z")))
    }
}

@Suite struct `A steady clock` {
    private let start = ContinuousClock.now

    @Test func `believes a jump ahead when it lasts, and a jump back at once`() {
        var clock = SteadyClock()
        let noon = at("2026-11-29T12:00:00Z")
        func believes(_ instant: Instant, after seconds: Int) -> Bool { clock.believes(instant, at: start + .seconds(seconds)) }

        #expect(believes(noon, after: 0))
        #expect(believes(noon + .seconds(1), after: 1))
        // A day ahead for ten seconds, and right again: nothing happened.
        #expect(!believes(noon + .seconds(86_402), after: 2))
        #expect(!believes(noon + .seconds(86_412), after: 12))
        #expect(believes(noon + .seconds(13), after: 13))
        // A day ahead for good, as after a sleep.
        #expect(!believes(noon + .seconds(86_414), after: 14))
        #expect(!believes(noon + .seconds(86_443), after: 43))
        #expect(believes(noon + .seconds(86_445), after: 45))
        #expect(believes(noon + .seconds(86_446), after: 46))
        // An hour back.
        #expect(believes(noon + .seconds(82_847), after: 47))
        // The one that doubts starts anew with each other reading.
        #expect(!believes(noon + .seconds(182_847), after: 48))
        #expect(!believes(noon + .seconds(982_847), after: 79))
        #expect(!believes(noon + .seconds(182_847), after: 110))
    }
}

@Suite(.timeLimit(.minutes(3))) struct `A cron scheduler` {
    private let now = at("2026-11-29T02:30:00Z")

    @Test func `enqueues each moment's job once, on however many replicas`() async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis)
            let entries = [CronEntry("hourly", .hourly, Job<Int?>("job"), catchUp: .all(atMost: 10)) { _ in nil }]
            let schedulers = (0..<5).map { _ in CronScheduler(queue, entries: entries, logger: quiet) }
            #expect(try await schedulers[0].enqueue(at: now) == [])

            var enqueued: [JobID] = []
            for hour in 1...3 {
                let moment = now + .seconds(3_600 * hour)
                enqueued += try await withThrowingTaskGroup(of: [JobID].self) { group in
                    for scheduler in schedulers { group.addTask { try await scheduler.enqueue(at: moment) } }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
            }

            #expect(enqueued.count == 3 && Set(enqueued).count == 3)
            #expect(try await redis.integer(["ZCARD", queue.name]) == 3)
            // Even when the jobs have ended, and the clock has gone back.
            for id in enqueued { _ = try await redis.send(["DEL", "arq:job:\(id)"]) }
            #expect(try await schedulers[1].enqueue(at: now + .seconds(3_600)) == [])
            #expect(try await schedulers[2].enqueue(at: now + .seconds(3 * 3_600 + 5)) == [])
        }
    }

    @Test func `makes up once for what was missed, and leaves out what has not ended`() async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis)
            let scheduler = CronScheduler(
                queue, entries: [CronEntry("hourly", .hourly, Job<String>("job"), payload: { $0.rfc3339 })], logger: quiet)
            _ = try await scheduler.enqueue(at: now)

            #expect(try await scheduler.enqueue(at: now + .seconds(86_400)) == ["cron:hourly"])
            #expect(try await scheduler.enqueue(at: now + .seconds(90_000)) == [])
            #expect(try await redis.integer(["ZCARD", queue.name]) == 1)
            let slots = Order()
            try await working(JobWorker(queue, handlers: [JobHandler(Job<String>("job")) { slot, _ in slots.add(slot) }], logger: quiet)) { () async throws in
                try await eventually { slots.all == ["2026-11-30T02:00:00Z"] }
                try await eventually { try await queue.status(of: "cron:hourly") == .ended }
            }
            // A result that is kept is in nobody's way.
            #expect(try await scheduler.enqueue(at: now + .seconds(100_000)) == ["cron:hourly"])
        }
    }

    @Test func `notes nothing while Redis is full, and catches up`() async throws {
        try await withRedis { redis, _ in
            let queue = JobQueue(redis: redis)
            let scheduler = CronScheduler(queue, entries: [CronEntry("hourly", .hourly, Job<Int?>("job")) { _ in nil }], logger: quiet)
            _ = try await scheduler.enqueue(at: now)
            _ = try await redis.send(["CONFIG", "SET", "maxmemory", "1"])

            let error = await #expect(throws: JobError.self) { try await scheduler.enqueue(at: now + .seconds(3_600)) }
            #expect(error?.code == .full)
            _ = try await redis.send(["CONFIG", "SET", "maxmemory", "0"])

            #expect(try await scheduler.enqueue(at: now + .seconds(3_610)) == ["cron:hourly"])
        }
    }
}
