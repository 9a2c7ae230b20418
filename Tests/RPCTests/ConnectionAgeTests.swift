import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import RPC

@Suite struct `The age of a connection` {
    private static func events(
        _ limits: ConnectionAge.Limits,
        chance: Double = 0.5,
        hasCalls: @escaping () -> Bool = { false },
        _ body: (ConnectionAge, EmbeddedEventLoop) -> Void
    ) -> [ConnectionAge.Event] {
        let loop = EmbeddedEventLoop()
        var events: [ConnectionAge.Event] = []
        let age = ConnectionAge(eventLoop: loop, limits: limits) { events.append($0) }
        age.begin(chance: chance, hasCalls: hasCalls)
        body(age, loop)
        age.stop()
        return events
    }

    private static let hour = ConnectionAge.Limits(maxAge: .seconds(3_600), grace: .seconds(60), maxIdle: nil)

    @Test(arguments: [(0.0, 3_240), (0.5, 3_600), (1.0, 3_960)])
    func `ends it give or take a tenth`(chance: Double, seconds: Int64) {
        let before = Self.events(Self.hour, chance: chance) { $1.advanceTime(by: .seconds(seconds - 1)) }
        let after = Self.events(Self.hour, chance: chance) { $1.advanceTime(by: .seconds(seconds)) }

        #expect(before == [])
        #expect(after == [.drain])
    }

    @Test func `gives its calls a grace`() {
        let events = Self.events(Self.hour) { $1.advanceTime(by: .seconds(3_660)) }

        #expect(events == [.drain, .close])
    }

    @Test func `does not matter when it has none`() {
        let limits = ConnectionAge.Limits(maxAge: nil, grace: .seconds(60), maxIdle: nil)

        #expect(Self.events(limits) { $1.advanceTime(by: .hours(1_000)) } == [])
    }

    private static let idle = ConnectionAge.Limits(maxAge: nil, grace: .seconds(60), maxIdle: .seconds(100))

    @Test func `ends it when nobody calls`() {
        #expect(Self.events(Self.idle) { $1.advanceTime(by: .seconds(99)) } == [])
        #expect(Self.events(Self.idle) { $1.advanceTime(by: .seconds(100)) } == [.drain])
    }

    @Test func `does not end it while calls come or are open`() {
        let called = Self.events(Self.idle) { age, loop in
            for _ in 0..<20 {
                loop.advanceTime(by: .seconds(40))
                age.callBegan()
            }
        }
        let open = Self.events(Self.idle, hasCalls: { true }) { $1.advanceTime(by: .seconds(1_000)) }

        #expect(called == [])
        #expect(open == [])
    }
}
