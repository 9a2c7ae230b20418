import Synchronization
import Testing
@testable import ConnectionPool

@Suite struct `A connection pool` {
    private func withPool(
        _ configuration: PoolConfiguration, _ factory: Factory = Factory(),
        _ body: (ConnectionPool<Wire>) async throws -> Void
    ) async throws {
        let pool = ConnectionPool(configuration: configuration) { try factory.make() }
        async let _: Void = pool.run()
        try await body(pool)
    }

    private let one = PoolConfiguration(minimumConnections: 0, maximumConnections: 1, acquireTimeout: .seconds(60))

    @Test func `lends the same connection again`() async throws {
        try await withPool(one) { pool in
            let first = try await pool.withConnection { $0.number }
            let second = try await pool.withConnection { $0.number }

            #expect(first == 1 && second == 1)
        }
    }

    @Test func `never lends one connection to two`() async throws {
        let configuration = PoolConfiguration(minimumConnections: 0, maximumConnections: 3, acquireTimeout: .seconds(60))
        try await withPool(configuration) { pool in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        try await pool.withConnection { wire in
                            let wasFree = wire.enter()
                            await Task.yield()
                            wire.leave()
                            return wasFree
                        }
                    }
                }
                for try await wasFree in group { #expect(wasFree) }
            }
            #expect(pool.statistics.open <= 3)
        }
    }

    @Test func `replaces a connection that comes back broken`() async throws {
        try await withPool(one) { pool in
            try await pool.withConnection { $0.breakDown() }

            let number = try await pool.withConnection { $0.number }

            #expect(number == 2)
        }
    }

    @Test func `replaces a connection that breaks while idle`() async throws {
        try await withPool(one) { pool in
            let wire = try await pool.withConnection { $0 }

            wire.breakDown()
            let number = try await pool.withConnection { $0.number }

            #expect(number == 2 && wire.isClosed)
        }
    }

    @Test func `tells who waited too long why`() async throws {
        try await withPool(one) { pool in
            try await pool.withConnection { _ in
                do throws(PoolError) {
                    try await pool.withConnection(waitingAtMost: .milliseconds(1)) { _ in }
                    Issue.record("a connection was lent twice")
                } catch {
                    guard case .timedOut(after: .milliseconds(1), connectFailure: nil) = error else {
                        Issue.record(error)
                        return
                    }
                }
            }
        }
    }

    @Test func `names the last failure where no connection could be opened`() async throws {
        struct Unreachable: Error {}
        let factory = Factory(failure: Unreachable())
        try await withPool(one, factory) { pool in
            // On a starved machine the first waits can end before the first attempt to connect has.
            var failure: (any Error)?
            for _ in 0..<60 where failure == nil {
                do throws(PoolError) {
                    try await pool.withConnection(waitingAtMost: .seconds(1)) { _ in }
                    Issue.record("a connection was opened")
                } catch {
                    guard case .timedOut(_, let connectFailure) = error else { throw error }
                    failure = connectFailure
                }
            }

            #expect(failure is Unreachable)
        }
    }

    @Test func `lets go of who is cancelled while waiting`() async throws {
        try await withPool(one) { pool in
            try await pool.withConnection { _ in
                let waiter = Task {
                    do throws(PoolError) {
                        try await pool.withConnection { _ in }
                        return false
                    } catch {
                        return if case .cancelled = error { true } else { false }
                    }
                }
                while pool.statistics.waiting == 0 { await Task.yield() }

                waiter.cancel()

                #expect(await waiter.value, "the waiter was not told that it was cancelled")
                #expect(pool.statistics.waiting == 0)
            }
        }
    }

    @Test func `waits at its end for what is lent, and closes it`() async throws {
        let pool = ConnectionPool(configuration: one) { Wire(number: 1) }
        let running = Task { await pool.run() }
        let wire = try await pool.withConnection { wire in
            running.cancel()
            while true {
                do throws(PoolError) {
                    try await pool.withConnection(waitingAtMost: .milliseconds(1)) { _ in }
                } catch {
                    if case .shutDown = error { break }
                }
            }
            #expect(!wire.isClosed)
            return wire
        }

        await running.value

        #expect(wire.isClosed)
        #expect(pool.statistics.open == 0)
    }

    @Test func `has a loan that outlasts it closed by its borrower`() async throws {
        var configuration = one
        configuration.drainTimeout = .milliseconds(1)
        let pool = ConnectionPool(configuration: configuration) { Wire(number: 1) }
        let running = Task { await pool.run() }
        let wire = try await pool.withConnection { wire in
            running.cancel()
            await running.value
            #expect(!wire.isClosed)
            return wire
        }

        #expect(wire.isClosed)
        #expect(pool.statistics.open == 0)
    }
}

/// A connection to nothing.
final class Wire: PooledConnection {
    private struct State {
        var isBroken = false
        var isClosed = false
        var isInUse = false
        var breakHandler: (@Sendable () -> Void)?
    }

    let number: Int
    private let state = Mutex(State())

    init(number: Int) { self.number = number }

    var isUsable: Bool { state.withLock { !$0.isBroken } }
    var isClosed: Bool { state.withLock { $0.isClosed } }
    var activity: String? { "wire \(number)" }
    func isHealthy() async -> Bool { isUsable }
    func close() async { state.withLock { $0.isClosed = true } }
    func onBreak(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.breakHandler = body } }

    func breakDown() {
        let handler = state.withLock { state in
            state.isBroken = true
            return state.breakHandler
        }
        handler?()
    }

    /// `false` if somebody else is using the connection.
    func enter() -> Bool {
        state.withLock { state in
            defer { state.isInUse = true }
            return !state.isInUse
        }
    }

    func leave() { state.withLock { $0.isInUse = false } }
}

/// Makes wires, or fails to.
private final class Factory: Sendable {
    private let failure: (any Error)?
    private let count = Mutex(0)

    init(failure: (any Error)? = nil) { self.failure = failure }

    func make() throws -> Wire {
        if let failure { throw failure }
        return Wire(number: count.withLock { $0 += 1; return $0 })
    }
}
