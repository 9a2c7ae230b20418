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

    @Test func `ends every watch when the program goes`() async {
        let health = HealthReporter(.serving)
        let early = health.watch()

        health.close()

        let told = await early.reduce(into: []) { $0.append($1) }
        #expect(told.last == .notServing(reason: "The service is stopping."))
        #expect(await health.watch().reduce(into: []) { $0.append($1) } == [.notServing(reason: "The service is stopping.")])
        #expect(!health.report(.serving))
    }

    @Test func `is not told again when it did not change`() {
        let health = HealthReporter(.serving)

        #expect(!health.report(.serving))
        #expect(health.report(.notServing(reason: "x")))
    }
}
