import Resilience
import TestSupport
import Testing
import Time

@Suite struct `A bulkhead` {
    @Test func `lets so many in at a time, and the others in the order in which they came`() async throws {
        let bulkhead = Bulkhead(limit: 2, maxWaiting: 100, maxWait: .seconds(60))
        let most = Most()

        try await withThrowingTaskGroup { group in
            for _ in 0..<50 {
                group.addTask {
                    try await bulkhead.enter()
                    most.enter()
                    await Task.yield()
                    most.leave()
                    bulkhead.leave()
                }
            }
            try await group.waitForAll()
        }

        #expect(most.value == 2)
        #expect(bulkhead.report.inUse == 0)
        #expect(bulkhead.report.waiting == 0)
    }

    @Test func `refuses at once when as many wait as may`() async throws {
        let bulkhead = Bulkhead(limit: 1, maxWaiting: 1, maxWait: .seconds(60))
        try await bulkhead.enter()
        let waiter = Task { try await bulkhead.enter() }
        try await until { bulkhead.report.waiting == 1 }

        await #expect(throws: Bulkhead.Refused.full) { try await bulkhead.enter() }
        bulkhead.leave()
        try await waiter.value

        #expect(bulkhead.report.inUse == 1)
        #expect(bulkhead.report.refused == 1)
    }

    @Test func `ends a wait after its time, at the deadline and with the task`() async throws {
        let bulkhead = Bulkhead(limit: 1, maxWaiting: 10, maxWait: .milliseconds(10))
        let patient = Bulkhead(limit: 1, maxWaiting: 10, maxWait: .seconds(600))
        try await bulkhead.enter()
        try await patient.enter()

        await #expect(throws: Bulkhead.Refused.waitedTooLong) { try await bulkhead.enter() }
        await #expect(throws: Bulkhead.Refused.waitedTooLong) { try await patient.enter(until: .after(.milliseconds(10))) }
        let waiter = Task { try await patient.enter() }
        try await until { patient.report.waiting == 1 }
        waiter.cancel()
        await #expect(throws: Bulkhead.Refused.cancelled) { try await waiter.value }

        #expect(bulkhead.report.waiting == 0)
        #expect(patient.report.waiting == 0)
        #expect(patient.report.refused == 1)
    }

    /// The time of some ends before they stand in line.
    @Test func `has nobody wait who comes at the end of his time`() async throws {
        let bulkhead = Bulkhead(limit: 1, maxWaiting: 10_000, maxWait: .seconds(600))
        try await bulkhead.enter()
        let refused = Most()

        let waiters = (0..<2_000).map { number in
            Task {
                await #expect(throws: Bulkhead.Refused.waitedTooLong) { try await bulkhead.enter(until: .after(.microseconds(number % 4))) }
                refused.enter()
            }
        }
        defer { for waiter in waiters { waiter.cancel() } }

        try await until { refused.value == 2_000 }
        #expect(bulkhead.report.waiting == 0)
    }

    /// The time of a waiter ends at the very moment at which a place becomes free, again and again.
    @Test func `loses no place to a waiter that gives up`() async throws {
        let bulkhead = Bulkhead(limit: 1, maxWaiting: 100, maxWait: .microseconds(300))
        await withDiscardingTaskGroup { group in
            for _ in 0..<20 {
                group.addTask {
                    for _ in 0..<50 {
                        do {
                            try await bulkhead.enter()
                            try? await Task.sleep(for: .microseconds(200))
                            bulkhead.leave()
                        } catch {
                            await Task.yield()
                        }
                    }
                }
            }
        }

        #expect(bulkhead.report.inUse == 0)
        try await bulkhead.enter()
    }
}
