import Testing

@testable import Resilience

/// Moments are microseconds; the limit frees a unit a second.
@Suite struct `A replica on its own` {
    private let limit = RateLimit(units: 60, window: .seconds(60))
    private let lost: Int64 = 1_000_000_000

    private func share(_ replicas: Int = 3) -> ShareLedger.Share { .init(of: limit, replicas: replicas, leased: 0.1) }

    private func second(_ seconds: Int64) -> Int64 { lost + seconds * 1_000_000 }

    private func admitted(
        _ ledger: inout ShareLedger, _ key: String = "ada", calls: Int, replicas: Int = 3, lost: Int64? = nil, at now: Int64
    ) -> Int {
        var admitted = 0
        for _ in 0..<calls where ledger.admit(key, cost: 1, share(replicas), lost: lost ?? self.lost, at: now).remaining != nil {
            admitted += 1
        }
        return admitted
    }

    @Test(arguments: [1, 2, 3, 7, 50])
    func `holds a lease that is no more than its part of a tenth of the limit`(replicas: Int) {
        let limit = RateLimit(units: 1_200, window: .seconds(60))
        let share = ShareLedger.Share(of: limit, replicas: replicas, leased: 0.1)

        #expect(share.lease * replicas <= 120)
        #expect(share.units * replicas <= 1_200)
        #expect(share.capacity >= limit.windowMicroseconds * 9 / 10)
    }

    @Test func `admits its lease at once, and then its part of the rate`() {
        var ledger = ShareLedger(limit, maxKeys: 10)

        #expect(admitted(&ledger, calls: 100, at: lost) == 2)
        // A unit in three seconds.
        #expect(admitted(&ledger, calls: 100, at: second(30)) == 10)
        #expect(admitted(&ledger, calls: 100, at: second(31)) == 0)
    }

    @Test func `admits all of its part at once after a window`() {
        var ledger = ShareLedger(limit, maxKeys: 10)

        #expect(admitted(&ledger, calls: 100, at: second(600)) == 20)
    }

    @Test func `gives the lease once, however often Redis goes`() {
        var ledger = ShareLedger(limit, maxKeys: 10)
        #expect(admitted(&ledger, calls: 100, at: lost) == 2)

        var again = 0
        for flap in 1...6 { again += admitted(&ledger, calls: 100, lost: second(Int64(flap)), at: second(Int64(flap))) }

        // What comes free in six seconds.
        #expect(again == 2)
    }

    @Test func `goes on where it was when it has the limit to itself`() {
        var ledger = ShareLedger(limit, maxKeys: 10)
        ledger.told("ada", .admitted(remaining: 40, resetAfter: .seconds(1)), cost: 1, generation: 0, at: lost)

        #expect(admitted(&ledger, calls: 100, replicas: 1, at: second(5)) == 45)
        // It has never seen the other one.
        #expect(admitted(&ledger, "bob", calls: 100, replicas: 1, at: second(0)) == 6)
    }

    @Test func `tells a refused caller when it will fit here`() {
        var ledger = ShareLedger(limit, maxKeys: 10)
        _ = admitted(&ledger, calls: 100, at: lost)

        let refused = ledger.admit("ada", cost: 2, share(), lost: lost, at: second(1))

        #expect(refused == .refused(retryAfter: .seconds(5)))
        #expect(ledger.admit("ada", cost: 2, share(), lost: lost, at: second(6)).remaining != nil)
    }

    @Test func `admits a call that costs more than its part, once it has all of it`() {
        var ledger = ShareLedger(limit, maxKeys: 10)

        #expect(ledger.admit("ada", cost: 50, share(), lost: lost, at: second(1)).remaining == nil)
        #expect(ledger.admit("ada", cost: 50, share(), lost: lost, at: second(60)).remaining == 0)
        #expect(ledger.carry("ada", generation: 1, at: second(60)).owed == 50)
    }

    @Test func `owes Redis what it let through, until Redis was told`() {
        var ledger = ShareLedger(limit, maxKeys: 10)
        _ = admitted(&ledger, calls: 100, at: lost)

        let carried = ledger.carry("ada", generation: 1, at: second(1))
        let meanwhile = ledger.carry("ada", generation: 1, at: second(1))
        ledger.giveBack("ada", carried)
        let again = ledger.carry("ada", generation: 1, at: second(2))

        #expect(carried == CarriedUnits(owed: 2, used: 0))
        #expect(meanwhile == .none)
        #expect(again == carried)
        ledger.told("ada", .admitted(remaining: 50, resetAfter: .seconds(1)), cost: 1, generation: 1, at: second(2))
        #expect(ledger.carry("ada", generation: 1, at: second(2)) == .none)
        #expect(ledger.owing(.both, generation: 1, at: second(2)) == [])
    }

    @Test func `knows of whom Redis has to be told`() {
        var ledger = ShareLedger(limit, maxKeys: 10)
        _ = admitted(&ledger, calls: 1, at: lost)
        ledger.told("bob", .admitted(remaining: 20, resetAfter: .seconds(1)), cost: 1, generation: 0, at: lost)

        #expect(ledger.owing(.both, generation: 0, at: second(1)) == ["ada"])
        #expect(ledger.owing(.both, generation: 1, at: second(1)).sorted() == ["ada", "bob"])
        #expect(ledger.owing(.both, generation: 1, at: second(60)) == ["ada"])
        #expect(ledger.owing(.used, generation: 1, at: second(1)) == ["bob"])
        #expect(ledger.owing(.owed, generation: 1, at: second(1)) == ["ada"])
        #expect(ledger.carry("ada", .used, generation: 1, at: second(1)) == .none)
        #expect(ledger.carry("ada", .owed, generation: 1, at: second(1)).owed == 1)
    }

    @Test func `remembers for a Redis that comes back empty what was in use, less what has become free since`() {
        var ledger = ShareLedger(limit, maxKeys: 10)
        ledger.told("ada", .admitted(remaining: 20, resetAfter: .seconds(1)), cost: 1, generation: 0, at: lost)

        #expect(ledger.carry("ada", generation: 0, at: second(1)) == .none)
        #expect(ledger.carry("ada", generation: 1, at: second(15)).used == 25)
        #expect(ledger.carry("ada", generation: 1, at: second(3_600)).used == 0)
    }

    @Test func `remembers so many callers and no more, the newest`() {
        var ledger = ShareLedger(limit, maxKeys: 1_000)
        for caller in 0..<100_000 {
            _ = admitted(&ledger, "\(caller)", calls: 1, at: lost)
            #expect(ledger.count <= 1_000)
        }

        // One that is asked for is kept while others come and go.
        for caller in 0..<10_000 {
            _ = admitted(&ledger, "\(caller)", calls: 1, at: lost)
            _ = admitted(&ledger, "99999", calls: 1, at: lost)
        }
        #expect(ledger.carry("99999", generation: 1, at: lost).owed == 2)
        #expect(ledger.carry("0", generation: 1, at: lost) == .none)
    }
}
