import RPC
import Synchronization
import Testing

@testable import Application

@Suite struct `A program's services` {
    private let health = ServiceHealth(
        program: HealthReporter(),
        services: [("test.About", .nothing), ("test.Notes", .database)])

    private func status(of name: String) -> HealthReporter.Status? { health.reporter(of: name)?.status }

    @Test func `serve when all that they need is there`() {
        health.program.report(.serving)

        health.update()

        for name in ["", "test.About", "test.Notes"] { #expect(status(of: name) == .serving) }
        #expect(status(of: "test.Billing") == nil)
    }

    @Test func `stop serving with the database, except what tells about the program`() {
        health.program.report(.notServing(reason: "The database does not answer."))

        health.update()

        #expect(status(of: "test.About") == .serving)
        #expect(status(of: "test.Notes") == .notServing(reason: "The database does not answer."))
    }

    @Test func `tell those who watch that the program goes`() async {
        health.program.report(.serving)
        health.update()
        let watch = health.reporter(of: "test.Notes")?.watch()

        health.close()
        health.update()

        var last: HealthReporter.Status?
        if let watch { for await status in watch { last = status } }
        #expect(last == .notServing(reason: "The service is stopping."))
    }
}

@Suite struct `A database health checker` {
    @Test func `keeps what each store said, and since when it is so`() async throws {
        let problem = Mutex<String?>(nil)
        let checker = DatabaseHealthChecker(checks: [])
        let check = checker.observing(ReadinessCheck("postgres") { problem.withLock { $0 } })
        #expect(checker.reports.isEmpty)

        #expect(await check.problem() == nil)
        let first = try #require(checker.reports.first)
        _ = await check.problem()
        let second = try #require(checker.reports.first)
        problem.withLock { $0 = "It does not answer." }
        #expect(await check.problem() == "It does not answer.")
        let third = try #require(checker.reports.first)

        #expect(first.store == "postgres" && first.problem == nil)
        #expect(second.since == first.since && second.askedAt >= first.askedAt)
        #expect(third.problem == "It does not answer." && third.since == third.askedAt)
    }

    @Test func `asks every store until it is cancelled`() async {
        let checks = ["redis_durable", "redis_cache"].map { name in ReadinessCheck(name) { name == "redis_cache" ? "Away." : nil } }
        let checker = DatabaseHealthChecker(checks: checks, interval: .milliseconds(1))
        let (rounds, round) = AsyncStream.makeStream(of: Void.self)
        let work = Task { await checker.run { round.yield() } }
        var seen = rounds.makeAsyncIterator()

        _ = await seen.next()
        _ = await seen.next()
        work.cancel()
        await work.value

        #expect(checker.reports.map(\.store) == ["redis_cache", "redis_durable"])
        #expect(checker.reports.map(\.problem) == ["Away.", nil])
    }
}
