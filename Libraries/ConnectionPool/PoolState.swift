/// The pool as a value: events go in, and what is to be done comes out. It knows no clock, no lock and no socket.
///
/// Invariants: at most `maximumConnections` are opening, open or closing at any moment; nobody waits while a connection
/// is idle; who waits is served in the order of arrival.
struct PoolState {
    typealias ConnectionID = Int
    typealias WaiterID = Int

    enum Action: Equatable {
        /// Open a connection; answer with `connected` or `connectFailed`.
        case connect(ConnectionID)
        /// Give the connection to the waiter.
        case lend(ConnectionID, to: WaiterID)
        /// Tell the waiter that there will be none, because the pool shuts down.
        case refuse(WaiterID)
        /// Ask the connection whether it works; answer with `checked`.
        case check(ConnectionID)
        /// Close the connection; answer with `closed`.
        case close(ConnectionID)
        /// Say that the connection is lent for longer than it should be.
        case report(ConnectionID, Loan, lasted: Duration)
        /// Wait before the next attempt to connect; answer with `backoffElapsed`.
        case pause(Duration)
        /// Everything is closed; there will be no more actions.
        case finish
    }

    enum Acquisition: Equatable {
        case lent(ConnectionID)
        case waiting([Action])
        case refused(Refusal)
    }

    enum Refusal: Equatable { case tooManyWaiters, shutDown }

    /// Who has a connection, and since when.
    struct Loan: Equatable {
        let borrower: Borrower
        let since: ContinuousClock.Instant
        var isReported = false
    }

    private enum Phase { case running, draining, finished }

    private enum Connection {
        /// Next: idle, leased or gone.
        case connecting
        /// Next: leased, checking or closing.
        case idle(since: ContinuousClock.Instant, checked: ContinuousClock.Instant)
        /// Next: idle, leased again or closing. The loan is known if somebody looks for long ones.
        case leased(Loan?)
        /// Next: idle, leased or closing.
        case checking(idleSince: ContinuousClock.Instant)
        /// Next: gone.
        case closing
    }

    private let configuration: PoolConfiguration
    private var phase = Phase.running
    private var connections: [ConnectionID: Connection] = [:]
    /// The idle connections; the one used last is at the end and lent first, so that a surplus ages at the front.
    private var idle: [ConnectionID] = []
    private var waiters: [(id: WaiterID, borrower: Borrower?)] = []
    private var nextConnection = 0
    private var failures = 0
    private var isPausing = false
    /// Loans that were reported so far.
    private(set) var longLoanCount = 0

    init(configuration: PoolConfiguration) {
        self.configuration = configuration
    }

    var isRunning: Bool { phase == .running }
    /// There are no more actions: what is lent still is for its borrower to close.
    var isFinished: Bool { phase == .finished }
    var openCount: Int { connections.count }
    var idleCount: Int { idle.count }
    var waiterCount: Int { waiters.count }
    var lentCount: Int { connections.values.count { if case .leased = $0 { true } else { false } } }
    var limit: Int { configuration.maximumConnections }
    /// Connections whose loan was reported and that have not come back.
    var overdueCount: Int { connections.values.count { if case .leased(let loan?) = $0 { loan.isReported } else { false } } }

    // MARK: Borrowing

    /// - Parameter borrower: who asks, and `now` when, where long loans are looked for.
    mutating func acquire(
        _ waiter: WaiterID, for borrower: Borrower? = nil, at now: ContinuousClock.Instant? = nil
    ) -> Acquisition {
        guard phase == .running else { return .refused(.shutDown) }
        if let connection = idle.popLast() {
            connections[connection] = .leased(loan(to: borrower, at: now))
            return .lent(connection)
        }
        guard waiters.count < configuration.maximumWaiters else { return .refused(.tooManyWaiters) }
        waiters.append((waiter, borrower))
        return .waiting(refill())
    }

    /// The waiter's time is up or its task is cancelled. `false` if it has been answered already.
    mutating func giveUp(_ waiter: WaiterID) -> Bool {
        guard let index = waiters.firstIndex(where: { $0.id == waiter }) else { return false }
        waiters.remove(at: index)
        return true
    }

    mutating func release(_ connection: ConnectionID, isUsable: Bool, at now: ContinuousClock.Instant) -> [Action] {
        guard case .leased = connections[connection] else { preconditionFailure("a connection is returned once") }
        guard !isFinished else {
            connections[connection] = nil
            return []
        }
        return isUsable ? offer(connection, idleSince: now, at: now) : close(connection)
    }

    // MARK: Opening and closing

    mutating func connected(_ connection: ConnectionID, at now: ContinuousClock.Instant) -> [Action] {
        guard case .connecting = connections[connection] else { return [] }
        failures = 0
        return offer(connection, idleSince: now, at: now) + refill()
    }

    /// `jitter` is a random number from 0 to 1.
    mutating func connectFailed(_ connection: ConnectionID, jitter: Double) -> [Action] {
        guard case .connecting = connections.removeValue(forKey: connection) else { return [] }
        guard phase == .running else { return finishIfDrained() }
        // What was begun together and failed together is one failure.
        guard !isPausing else { return [] }
        failures += 1
        isPausing = true
        return [.pause(backoff(jitter: jitter))]
    }

    mutating func backoffElapsed() -> [Action] {
        isPausing = false
        return refill()
    }

    /// An idle connection broke by itself. A lent one is known by its borrower, who returns it as not usable.
    mutating func broke(_ connection: ConnectionID) -> [Action] {
        guard case .idle = connections[connection] else { return [] }
        idle.removeAll { $0 == connection }
        return close(connection)
    }

    mutating func closed(_ connection: ConnectionID) -> [Action] {
        guard case .closing = connections[connection] else { return [] }
        connections[connection] = nil
        return refill() + finishIfDrained()
    }

    // MARK: Housekeeping

    /// Opens what is missing to the minimum.
    mutating func start() -> [Action] { refill() }

    /// Closes what is idle for too long, picks what has to prove that it works, and reports what is lent for too long.
    mutating func tick(at now: ContinuousClock.Instant) -> [Action] {
        guard phase == .running else { return [] }
        var actions = reportLongLoans(at: now)
        for connection in idle {
            guard case .idle(let since, let checked) = connections[connection] else { continue }
            if since.duration(to: now) >= configuration.idleTimeout, liveCount > configuration.minimumConnections {
                idle.removeAll { $0 == connection }
                actions += close(connection)
            } else if checked.duration(to: now) >= configuration.healthCheckInterval {
                idle.removeAll { $0 == connection }
                connections[connection] = .checking(idleSince: since)
                actions.append(.check(connection))
            }
        }
        return actions
    }

    mutating func checked(_ connection: ConnectionID, isHealthy: Bool, at now: ContinuousClock.Instant) -> [Action] {
        guard case .checking(let idleSince) = connections[connection] else { return [] }
        return isHealthy ? offer(connection, idleSince: idleSince, at: now) : close(connection)
    }

    /// Refuses who waits and closes what is idle; what is lent is closed when it comes back.
    mutating func shutDown() -> [Action] {
        guard phase == .running else { return [] }
        phase = .draining
        let refusals = waiters.map { Action.refuse($0.id) }
        waiters.removeAll()
        let idle = self.idle
        self.idle.removeAll()
        return refusals + idle.flatMap { close($0) } + finishIfDrained()
    }

    /// The time for draining is over: what is still lent is no longer waited for.
    mutating func abandon() -> [Action] {
        guard phase == .draining else { return [] }
        phase = .finished
        return [.finish]
    }

    // MARK: Parts

    /// Connections that will be of use, which those that are closing are not.
    private var liveCount: Int {
        connections.values.count { if case .closing = $0 { false } else { true } }
    }

    private var connectingCount: Int {
        connections.values.count { if case .connecting = $0 { true } else { false } }
    }

    /// Opens connections for who waits and for the minimum. After a failure one attempt at a time is enough to learn
    /// whether the server is back.
    private mutating func refill() -> [Action] {
        guard phase == .running, !isPausing else { return [] }
        let connecting = connectingCount
        let missing = max(configuration.minimumConnections - liveCount, waiters.count - connecting)
        let room = configuration.maximumConnections - connections.count
        let count = min(missing, room, failures > 0 ? 1 - connecting : .max)
        guard count > 0 else { return [] }
        return (0..<count).map { _ in
            nextConnection += 1
            connections[nextConnection] = .connecting
            return .connect(nextConnection)
        }
    }

    private mutating func offer(
        _ connection: ConnectionID, idleSince: ContinuousClock.Instant, at now: ContinuousClock.Instant
    ) -> [Action] {
        guard phase == .running else { return close(connection) }
        guard !waiters.isEmpty else {
            connections[connection] = .idle(since: idleSince, checked: now)
            idle.append(connection)
            return []
        }
        let waiter = waiters.removeFirst()
        connections[connection] = .leased(loan(to: waiter.borrower, at: now))
        return [.lend(connection, to: waiter.id)]
    }

    private func loan(to borrower: Borrower?, at now: ContinuousClock.Instant?) -> Loan? {
        guard let borrower, let now else { return nil }
        return Loan(borrower: borrower, since: now)
    }

    private mutating func reportLongLoans(at now: ContinuousClock.Instant) -> [Action] {
        guard let limit = configuration.loanLimit else { return [] }
        var actions: [Action] = []
        for (connection, state) in connections {
            guard case .leased(var loan?) = state, !loan.isReported, loan.since.duration(to: now) >= limit else { continue }
            actions.append(.report(connection, loan, lasted: loan.since.duration(to: now)))
            loan.isReported = true
            connections[connection] = .leased(loan)
            longLoanCount += 1
        }
        return actions
    }

    private mutating func close(_ connection: ConnectionID) -> [Action] {
        connections[connection] = .closing
        return [.close(connection)]
    }

    /// Attempts to connect are not waited for; the shell cancels them.
    private mutating func finishIfDrained() -> [Action] {
        guard phase == .draining, connections.count == connectingCount else { return [] }
        phase = .finished
        return [.finish]
    }

    private func backoff(jitter: Double) -> Duration {
        let doublings = min(failures - 1, 16)
        let whole = min(configuration.initialBackoff * (1 << doublings), configuration.maximumBackoff)
        return whole * (0.5 + 0.5 * jitter)
    }
}
