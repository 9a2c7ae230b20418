import Application
import Testing

@Suite struct `Health` {
    @Test func `begins as not serving, with a reason`() {
        #expect(HealthReporter().status == .notServing(reason: "The service is starting."))
    }

    @Test func `is told to a watcher at once and at each change`() async {
        let health = HealthReporter(.serving)
        var watch = health.watch().makeAsyncIterator()

        #expect(await watch.next() == .serving)
        health.report(.notServing(reason: "The database does not answer."))
        #expect(await watch.next() == .notServing(reason: "The database does not answer."))
        health.report(.serving)
        #expect(await watch.next() == .serving)
    }

    @Test func `is not told again when it did not change`() {
        let health = HealthReporter(.serving)

        #expect(!health.report(.serving))
        #expect(health.report(.notServing(reason: "x")))
    }
}
