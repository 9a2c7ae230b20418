internal import Synchronization

/// Lends connections to one borrower at a time and keeps a few of them open.
///
/// `run()` does the pool's work (opening, checking, closing) and has to be running while connections are borrowed.
/// Waiting is first come, first served, and bounded in number and time. All decisions are `PoolState`'s.
package final class ConnectionPool<Connection: PooledConnection>: Sendable {
    private typealias Shell = PoolShell

    private let configuration: PoolConfiguration
    private let connect: @Sendable () async throws -> Connection
    private let onLongLoan: @Sendable (LongLoan) -> Void
    private let shell: Mutex<Shell>

    /// - Parameter onLongLoan: told once of each loan that lasts longer than the configuration's `loanLimit`.
    package init(
        configuration: PoolConfiguration, onLongLoan: @escaping @Sendable (LongLoan) -> Void = { _ in },
        connect: @escaping @Sendable () async throws -> Connection
    ) {
        self.configuration = configuration
        self.onLongLoan = onLongLoan
        self.connect = connect
        shell = Mutex(Shell(configuration: configuration))
    }

    /// How many connections there are and what they do, and how many callers wait.
    package var statistics: PoolStatistics {
        shell.withLock { $0.statistics }
    }

    // MARK: Borrowing

    /// Lends a connection to `body` and takes it back when `body` returns.
    ///
    /// The connection must not be kept beyond `body`.
    ///
    /// - Parameters:
    ///   - limit: how long to wait for a connection if the configuration's `acquireTimeout` is longer.
    ///   - borrower: who is named if the loan lasts too long; by default the place of this call.
    /// - Throws: `PoolError` if there is no connection to lend; `body` has not been called then.
    nonisolated(nonsending) package func withConnection<Value>(
        waitingAtMost limit: Duration? = nil, borrower: Borrower? = nil, file: String = #fileID, line: Int = #line,
        _ body: nonisolated(nonsending) (Connection) async -> Value
    ) async throws(PoolError) -> Value {
        let looks = configuration.loanLimit != nil
        let (id, connection) = try await acquire(
            waitingAtMost: limit, for: looks ? borrower ?? Borrower(file: file, line: line) : nil)
        let value = await body(connection)
        var hasEnded = false
        change { shell in
            hasEnded = shell.state.isFinished
            if hasEnded { shell.connections[id] = nil }
            return shell.state.release(id, isUsable: connection.isUsable, at: .now)
        }
        // The loan has outlasted the pool, and nobody else is left to close it.
        if hasEnded { await connection.close() }
        return value
    }

    nonisolated(nonsending) private func acquire(
        waitingAtMost limit: Duration?, for borrower: Borrower?
    ) async throws(PoolError) -> (Int, Connection) {
        let timeout = min(limit ?? configuration.acquireTimeout, configuration.acquireTimeout)
        let (waiter, answer) = shell.withLock { shell in
            shell.acquire(
                maximumWaiters: configuration.maximumWaiters, for: borrower, at: borrower == nil ? nil : .now)
        }
        switch answer {
        case .lent(let id, let connection): return (id, own(connection))
        case .refused(let error): throw error
        case .waiting(let effects):
            effects.run()
            // Cancelled and awaited when this scope is left.
            async let _: Void = expire(waiter, after: timeout)
            let (id, connection) = try await wait(as: waiter).get()
            return (id, own(connection))
        }
    }

    private func own(_ connection: any PooledConnection) -> Connection {
        guard let connection = connection as? Connection else { preconditionFailure("a pool lends what it opened") }
        return connection
    }

    nonisolated(nonsending) private func wait(as waiter: Int) async -> Shell.Lease {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let early = shell.withLock { $0.register(continuation, for: waiter) }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            giveUp(waiter, because: .cancelled)
        }
    }

    private func expire(_ waiter: Int, after timeout: Duration) async {
        // Sleeping ends early only when the waiter has its answer, and then there is nothing to expire.
        guard (try? await Task.sleep(for: timeout)) != nil else { return }
        let failure = shell.withLock { $0.lastConnectFailure }
        giveUp(waiter, because: .timedOut(after: timeout, connectFailure: failure))
    }

    private func giveUp(_ waiter: Int, because error: PoolError) {
        shell.withLock { $0.giveUp(waiter, because: error) }.run()
    }

    // MARK: Running

    /// Keeps the pool until the task is cancelled; then turns away who waits, waits for lent connections up to
    /// `drainTimeout`, and returns when all are closed. A pool runs once.
    package func run() async {
        // The work must outlive the cancellation that begins the draining, so it does not inherit it.
        let work = Task { await self.work() }
        await withTaskCancellationHandler { await work.value } onCancel: { self.beginShutDown() }
    }

    private func work() async {
        change { $0.state.start() }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.keepHouse() }
            while true {
                let job = await nextJob()
                if case .finish = job { break }
                group.addTask { await self.perform(job) }
            }
            group.cancelAll()
        }
    }

    private func beginShutDown() {
        change { shell in
            shell.jobs.append(.limitDraining)
            return shell.state.shutDown()
        }
    }

    private func nextJob() async -> Shell.Job {
        await withCheckedContinuation { continuation in
            let job = shell.withLock { $0.takeJob(orNotify: continuation) }
            if let job { continuation.resume(returning: job) }
        }
    }

    private func perform(_ job: Shell.Job) async {
        switch job {
        case .connect(let id): await open(id)
        case .check(let id, let connection):
            let isHealthy = await connection.isHealthy()
            change { $0.state.checked(id, isHealthy: isHealthy && connection.isUsable, at: .now) }
        case .close(let id, let connection):
            await connection.close()
            change { shell in
                shell.connections[id] = nil
                return shell.state.closed(id)
            }
        case .pause(let duration):
            // Cancelled only at the pool's end, when nothing is opened any more.
            try? await Task.sleep(for: duration)
            change { $0.state.backoffElapsed() }
        case .limitDraining:
            // Cancelled when everything has been closed in time.
            guard (try? await Task.sleep(for: configuration.drainTimeout)) != nil else { return }
            change { $0.state.abandon() }
        case .finish: break
        }
    }

    private func open(_ id: Int) async {
        do {
            let connection = try await connect()
            let isWanted = shell.withLock { $0.adopt(connection, as: id) }
            guard isWanted else {
                await connection.close()
                return change { $0.state.connectFailed(id, jitter: 0) }
            }
            change { $0.state.connected(id, at: .now) }
            // Registered last, so that a connection that breaks at once is already known as idle or lent.
            connection.onBreak { [weak self] in self?.change { $0.state.broke(id) } }
        } catch {
            change { shell in
                shell.lastConnectFailure = error
                return shell.state.connectFailed(id, jitter: .random(in: 0...1))
            }
        }
    }

    private func keepHouse() async {
        let shortest = min(
            configuration.idleTimeout, configuration.healthCheckInterval, configuration.loanLimit ?? configuration.idleTimeout)
        let interval = max(shortest / 2, .milliseconds(50))
        // Ends with the cancellation of the pool's work.
        while (try? await Task.sleep(for: interval)) != nil {
            change { $0.state.tick(at: .now) }
        }
    }

    private func change(_ event: (inout Shell) -> [PoolState.Action]) {
        let effects = shell.withLock { shell -> Shell.Effects? in
            let actions = event(&shell)
            // What happens at almost every return of a connection.
            if actions.isEmpty, shell.jobs.isEmpty { return nil }
            return shell.effects(of: actions)
        }
        effects?.run()
        for (connection, loan, lasted) in effects?.longLoans ?? [] {
            onLongLoan(LongLoan(borrower: loan.borrower, duration: lasted, activity: connection.activity))
        }
    }
}
