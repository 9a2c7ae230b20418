/// What surrounds a `PoolState` under the pool's lock: the connections and continuations behind its numbers, and the
/// jobs for `run()`. Nothing is resumed under the lock; `Effects` collects it for afterwards.
///
/// Not generic, unlike the pool: the types within a generic one are looked up anew at each call from code that is not
/// specialised, which cost more than all that the pool decides.
struct PoolShell {
    typealias Connection = any PooledConnection
    typealias Lease = Result<(Int, Connection), PoolError>

    enum Job: Sendable {
        case connect(Int)
        case check(Int, Connection)
        case close(Int, Connection)
        case pause(Duration)
        case limitDraining
        case finish
    }

    enum Answer {
        case lent(Int, Connection)
        case waiting(Effects)
        case refused(PoolError)
    }

    /// Continuations to resume once the lock is free.
    struct Effects {
        var leases: [(CheckedContinuation<Lease, Never>, Lease)] = []
        var job: (CheckedContinuation<Job, Never>, Job)?
        var longLoans: [(Connection, PoolState.Loan, lasted: Duration)] = []

        func run() {
            for (continuation, lease) in leases { continuation.resume(returning: lease) }
            if let (continuation, job) = job { continuation.resume(returning: job) }
        }
    }

    var state: PoolState
    var connections: [Int: Connection] = [:]
    var jobs: [Job] = []
    var lastConnectFailure: (any Error)?
    private var nextWaiter = 0
    private var waiting: [Int: CheckedContinuation<Lease, Never>] = [:]
    /// Answers that came before their waiter had suspended.
    private var early: [Int: Lease] = [:]
    private var worker: CheckedContinuation<Job, Never>?

    init(configuration: PoolConfiguration) {
        state = PoolState(configuration: configuration)
    }

    var statistics: PoolStatistics {
        PoolStatistics(
            open: state.openCount, idle: state.idleCount, lent: state.lentCount, waiting: state.waiterCount, limit: state.limit,
            overdue: state.overdueCount, longLoans: state.longLoanCount)
    }

    mutating func acquire(
        maximumWaiters: Int, for borrower: Borrower?, at now: ContinuousClock.Instant?
    ) -> (waiter: Int, Answer) {
        nextWaiter += 1
        switch state.acquire(nextWaiter, for: borrower, at: now) {
        case .lent(let id):
            guard let connection = connections[id] else { preconditionFailure("an idle connection is known") }
            return (nextWaiter, .lent(id, connection))
        case .waiting(let actions): return (nextWaiter, .waiting(effects(of: actions)))
        case .refused(.tooManyWaiters): return (nextWaiter, .refused(.tooManyWaiters(maximumWaiters)))
        case .refused(.shutDown): return (nextWaiter, .refused(.shutDown))
        }
    }

    /// The answer if it has come already; otherwise the continuation is kept for it.
    mutating func register(_ continuation: CheckedContinuation<Lease, Never>, for waiter: Int) -> Lease? {
        if let lease = early.removeValue(forKey: waiter) { return lease }
        waiting[waiter] = continuation
        return nil
    }

    mutating func giveUp(_ waiter: Int, because error: PoolError) -> Effects {
        var effects = Effects()
        if state.giveUp(waiter) { answer(waiter, .failure(error), &effects) }
        return effects
    }

    /// Keeps a new connection; `false` if the pool has finished meanwhile.
    mutating func adopt(_ connection: Connection, as id: Int) -> Bool {
        guard state.isRunning else { return false }
        lastConnectFailure = nil
        connections[id] = connection
        return true
    }

    mutating func takeJob(orNotify continuation: CheckedContinuation<Job, Never>) -> Job? {
        guard let job = jobs.first else {
            worker = continuation
            return nil
        }
        jobs.removeFirst()
        return job
    }

    mutating func effects(of actions: [PoolState.Action]) -> Effects {
        var effects = Effects()
        for action in actions {
            switch action {
            case .connect(let id): jobs.append(.connect(id))
            case .lend(let id, let waiter):
                guard let connection = connections[id] else { preconditionFailure("a lent connection is known") }
                answer(waiter, .success((id, connection)), &effects)
            case .refuse(let waiter): answer(waiter, .failure(.shutDown), &effects)
            case .check(let id): if let connection = connections[id] { jobs.append(.check(id, connection)) }
            case .close(let id): if let connection = connections[id] { jobs.append(.close(id, connection)) }
            case .report(let id, let loan, let lasted):
                if let connection = connections[id] { effects.longLoans.append((connection, loan, lasted)) }
            case .pause(let duration): jobs.append(.pause(duration))
            case .finish: jobs.append(.finish)
            }
        }
        if let worker, !jobs.isEmpty {
            effects.job = (worker, jobs.removeFirst())
            self.worker = nil
        }
        return effects
    }

    private mutating func answer(_ waiter: Int, _ lease: Lease, _ effects: inout Effects) {
        if let continuation = waiting.removeValue(forKey: waiter) {
            effects.leases.append((continuation, lease))
        } else {
            early[waiter] = lease
        }
    }
}
