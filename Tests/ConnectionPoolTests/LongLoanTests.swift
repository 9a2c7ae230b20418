import Synchronization
import Testing
@testable import ConnectionPool

@Suite struct `A connection that is lent for too long` {
    private let start = ContinuousClock.now
    private let ada = Borrower(file: "Users/Ada.swift", line: 7)
    private let bob = Borrower(file: "Users/Bob.swift", line: 9)

    private func make(limit: Duration? = .seconds(10)) -> PoolState {
        PoolState(configuration: PoolConfiguration(
            minimumConnections: 0, maximumConnections: 1, idleTimeout: .seconds(600), healthCheckInterval: .seconds(600), loanLimit: limit
        ))
    }

    @Test func `is reported once, with who borrowed it, and counted until it comes back`() {
        var pool = make()
        _ = pool.acquire(1, for: ada, at: start)
        _ = pool.connected(1, at: start)

        #expect(pool.tick(at: start + .seconds(9)) == [])
        let loan = PoolState.Loan(borrower: ada, since: start)
        #expect(pool.tick(at: start + .seconds(10)) == [.report(1, loan, lasted: .seconds(10))])
        #expect(pool.tick(at: start + .seconds(20)) == [])
        #expect(pool.overdueCount == 1 && pool.longLoanCount == 1)

        _ = pool.release(1, isUsable: true, at: start + .seconds(30))
        #expect(pool.overdueCount == 0 && pool.longLoanCount == 1)
    }

    @Test func `is its next borrower's for a time of its own`() {
        var pool = make()
        _ = pool.acquire(1, for: ada, at: start)
        _ = pool.connected(1, at: start)
        _ = pool.acquire(2, for: bob, at: start + .seconds(1))

        // Who waited, however long, has borrowed when it was lent.
        #expect(pool.release(1, isUsable: true, at: start + .seconds(9)) == [.lend(1, to: 2)])
        #expect(pool.tick(at: start + .seconds(18)) == [])
        let loan = PoolState.Loan(borrower: bob, since: start + .seconds(9))
        #expect(pool.tick(at: start + .seconds(19)) == [.report(1, loan, lasted: .seconds(10))])

        _ = pool.release(1, isUsable: true, at: start + .seconds(20))
        #expect(pool.acquire(3, for: ada, at: start + .seconds(100)) == .lent(1))
        #expect(pool.tick(at: start + .seconds(109)) == [])
    }

    @Test func `is nobody's concern where nobody looks`() {
        var pool = make(limit: nil)
        _ = pool.acquire(1)
        _ = pool.connected(1, at: start)

        #expect(pool.tick(at: start + .seconds(500)) == [])
        #expect(pool.overdueCount == 0)
    }

    @Test func `is looked for by default in builds for debugging alone`() {
        #if DEBUG
        #expect(PoolConfiguration().loanLimit == .seconds(60))
        #else
        #expect(PoolConfiguration().loanLimit == nil)
        #endif
    }

    @Test func `is told of while its borrower has it, with the place of the call`() async throws {
        let (reports, continuation) = AsyncStream<LongLoan>.makeStream()
        let configuration = PoolConfiguration(
            minimumConnections: 0, maximumConnections: 1, acquireTimeout: .seconds(60), loanLimit: .milliseconds(1))
        let pool = ConnectionPool(configuration: configuration, onLongLoan: { continuation.yield($0) }, connect: { Wire(number: 1) })
        async let _: Void = pool.run()

        let line = #line + 1
        let report = try await pool.withConnection { _ in
            var report = reports.makeAsyncIterator()
            return await report.next()
        }

        #expect(report?.borrower == Borrower(file: #fileID, line: line))
        #expect(report?.activity == "wire 1")
        #expect(pool.statistics.overdue == 0 && pool.statistics.longLoans == 1)
    }

    @Test func `and is given back twice ends the program, before two have it`() async {
        await #expect(processExitsWith: .failure) {
            var pool = PoolState(configuration: PoolConfiguration(minimumConnections: 0, maximumConnections: 1))
            _ = pool.acquire(1)
            _ = pool.connected(1, at: .now)
            _ = pool.release(1, isUsable: true, at: .now)
            _ = pool.release(1, isUsable: true, at: .now)
        }
    }
}
