import NIOCore
import TestSupport
import Testing

@testable import Redis

@Suite struct `The queue of owed replies` {
    static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    func second(_ number: Int64) -> NIODeadline { Self.start + .seconds(number) }
    var queue = ReplyQueue(stallTimeout: .seconds(5))

    func request(_ commands: [RedisCommand] = [["GET", "a"]], until deadline: NIODeadline = .distantFuture) -> RedisRequest {
        let request = RedisRequest(commands, deadline: deadline)
        _ = request.beginSending()
        return request
    }

    @Test mutating func `gives replies to requests in the order in which they were sent`() async throws {
        let first = request()
        let second = request()
        queue.sent(.one(first), at: Self.start)
        queue.sent(.one(second), at: Self.start)

        let one = try queue.received(.integer(1), at: Self.start)
        let two = try queue.received(.integer(2), at: Self.start)

        #expect(one != nil)
        #expect(two != nil)
        #expect(try await first.answer().get() == [.integer(1)])
        #expect(try await second.answer().get() == [.integer(2)])
        #expect(queue.isEmpty)
    }

    @Test mutating func `completes a batch with its last reply`() async throws {
        let batch = request([["GET", "a"], ["GET", "b"]])
        queue.sent(.one(batch), at: Self.start)

        let early = try queue.received(.integer(1), at: Self.start)
        let late = try queue.received(.integer(2), at: Self.start)

        #expect(early == nil)
        #expect(late != nil)
        #expect(try await batch.answer().get() == [.integer(1), .integer(2)])
    }

    @Test mutating func `refuses a reply that nobody asked for`() {
        #expect(throws: RESPReader.Violation.self) { try queue.received(.status("OK"), at: Self.start) }
    }

    @Test mutating func `keeps the place of a request that has given up`() async throws {
        let impatient = request(until: second(1))
        let patient = request()
        queue.sent(.one(impatient), at: Self.start)
        queue.sent(.one(patient), at: Self.start)

        let isStalled = queue.expire(at: second(1))
        _ = try queue.received(.status("late"), at: second(2))
        _ = try queue.received(.status("in time"), at: second(2))

        #expect(!isStalled)
        let error = await #expect(throws: RedisError.self) { try await impatient.answer().get() }
        #expect(error?.code == .timeout)
        #expect(error?.mayHaveRun == true)
        #expect(try await patient.answer().get() == [.status("in time")])
    }

    @Test mutating func `calls the connection dead when it is silent while it owes, and not while it answers`() throws {
        queue.sent(.one(request()), at: second(0))
        queue.sent(.one(request()), at: second(0))
        let isStalledEarly = queue.expire(at: second(4))
        _ = try queue.received(.null, at: second(4))
        let isStalledAfterReply = queue.expire(at: second(8))
        let isStalledLate = queue.expire(at: second(9))
        _ = try queue.received(.null, at: second(9))
        let isStalledWhenIdle = queue.expire(at: second(100))

        #expect(!isStalledEarly)
        #expect(!isStalledAfterReply)
        #expect(isStalledLate)
        #expect(!isStalledWhenIdle)
    }

    @Test mutating func `begins to count when it begins to owe`() {
        queue.sent(.one(request()), at: second(50))

        #expect(queue.nextExpiry == second(55))
        let isStalled = queue.expire(at: second(51))
        #expect(!isStalled)
    }

    @Test mutating func `knows when to look again`() {
        #expect(queue.nextExpiry == nil)
        queue.sent(.one(request(until: second(3))), at: second(0))
        queue.sent(.one(request(until: second(2))), at: second(0))

        #expect(queue.nextExpiry == second(2))
        _ = queue.expire(at: second(2))
        #expect(queue.nextExpiry == second(3))
    }

    @Test func `is not entered by a request that was cancelled before it was sent`() async {
        let request = RedisRequest([["GET", "a"]], deadline: .distantFuture)
        request.expire()

        #expect(!request.beginSending())
        let error = await #expect(throws: RedisError.self) { try await request.answer().get() }
        #expect(error?.mayHaveRun == false)
    }
}

@Suite struct `The delay between attempts` {
    @Test func `doubles up to its bound, and a random half of it is left out`() {
        var backoff = Backoff(.milliseconds(50) ... .seconds(1))
        var random = SeededGenerator(seed: 7)

        let delays = (0..<10).map { _ in backoff.next(using: &random) }

        for (index, delay) in delays.enumerated() {
            let ceiling = min(Duration.milliseconds(50) * (1 << index), .seconds(1))
            #expect(delay <= ceiling)
            #expect(delay >= ceiling / 2)
        }
        #expect(Set(delays).count == delays.count)
    }

    @Test func `begins anew after a success`() {
        var backoff = Backoff(.milliseconds(50) ... .seconds(1))
        var random = SeededGenerator(seed: 7)
        for _ in 0..<10 { _ = backoff.next(using: &random) }

        backoff.reset()

        #expect(backoff.next(using: &random) <= .milliseconds(50))
    }
}
