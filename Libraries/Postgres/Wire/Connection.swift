internal import ConnectionPool
internal import Dispatch
internal import Synchronization
internal import Time

/// One session with the server, which runs one exchange at a time.
///
/// All its state, and every call into libpq, belongs to its lock (`confined`), which is why the type may be shared between
/// threads. Who submits an exchange sends it on his own thread; the answers are read on the event loop's. What may take long,
/// connecting with its names and passwords, happens on a queue of its own, where Dispatch gives it a thread that
/// nobody else needs. While the session is open nobody holds the lock for longer than a copy to or from the socket takes.
final class Connection: PooledConnection, @unchecked Sendable {
    /// How long the server is given beyond the deadline, since its own timeout is expected to come first.
    static let deadlineGrace = Duration.milliseconds(500)
    /// How long the server may take to confirm that it has stopped a statement; then the connection is closed.
    static let stopLimit = Duration.seconds(5)
    /// A request to stop reaches a session between two statements of a pipeline without effect, so it is repeated.
    static let stopInterval = Duration.milliseconds(250)
    /// Prepared statements a session keeps. A service has some dozens; what exceeds this is prepared again.
    static let statementCapacity = 256

    enum Phase {
        /// Next: open or closed.
        case connecting
        /// Next: closed.
        case open
        case closed(reason: String)
    }

    /// For connecting, for alarms and for requests to stop: what comes seldom or takes long.
    let queue = DispatchQueue(label: "heartguard.postgres.connection")
    /// Requests to stop block in libpq, so they have a queue, and thereby a thread, of their own.
    let stopQueue = DispatchQueue(label: "heartguard.postgres.stop")
    let configuration: PostgresConfiguration
    /// Whether the session may be lent; written under the lock, read anywhere.
    let usable = Atomic<Bool>(false)
    /// Whether the session refuses writes and limits statements by itself, as the configuration's parameters ask; a pooler between
    /// may have dropped them. Written before the session is lent.
    let defaults = Atomic<Bool>(false)
    var hasDefaults: Bool { defaults.load(ordering: .relaxed) }
    private let lock = Mutex(())

    // MARK: Belonging to the lock

    var phase = Phase.connecting
    var handle: ConnectionHandle?
    /// Watches the socket while the connection is being made, step by step.
    var connectingWatcher: SocketWatcher?
    /// Watches the socket of the open session.
    var watcher: LoopWatcher?
    var stopper: CancelHandle?
    var statements = StatementCache(
        capacity: Connection.statementCapacity, suffix: "_" + String(UInt64.random(in: 0 ... .max), radix: 36)
    )
    var running: RunningExchange?
    /// The text of the statement that was sent last, if the pool looks for long loans.
    var lastStatement: String?
    var waiting: [RunningExchange] = []
    var copy: RunningCopy?
    /// Exchanges that have ended while the lock was held, to be answered when it is free.
    private var ended: [(RunningExchange.Continuation, RunningExchange.Ending)] = []
    /// A request to stop was sent, and only an answer to a later statement shows that it cannot hit that one.
    var needsSettling = false
    var connecting: CheckedContinuation<PostgresError?, Never>?
    var connectDeadline: Deadline?
    /// What is left to be tried after a host that has said nothing for all the time there was; `nil` if nothing is.
    var others: PostgresConfiguration?
    var alarm: (any DispatchSourceTimer)?
    var alarmIsSetFor: Deadline?
    var breakHandler: (@Sendable () -> Void)?
    var notificationHandler: (@Sendable (Notification) -> Void)?

    init(configuration: PostgresConfiguration) {
        self.configuration = configuration
    }

    deinit { alarm?.cancel() }

    /// Runs `body` with the connection's state to itself, and then answers whose exchanges have ended in it: a task must not be
    /// resumed under a lock that others are about to ask for. The lock does not nest.
    func confined(_ body: () -> Void) {
        let ended = lock.withLock { _ in
            body()
            defer { self.ended = [] }
            return self.ended
        }
        for (continuation, ending) in ended { continuation.resume(returning: ending) }
    }

    /// Answers the exchange's caller as soon as the lock is free.
    func answer(_ exchange: RunningExchange, _ outcome: ExchangeOutcome, _ stopReason: StopReason?) {
        ended.append((exchange.continuation, (outcome, stopReason)))
    }

    // MARK: For the pool

    var isUsable: Bool { usable.load(ordering: .acquiring) }

    func isHealthy() async -> Bool {
        let submission = Submission(Exchange(body: .settling), deadline: .after(.seconds(5)), isCancellable: false)
        guard case .completed = await perform(submission).outcome else { return false }
        return isUsable
    }

    func onBreak(_ body: @escaping @Sendable () -> Void) {
        var isClosed = false
        confined {
            if case .closed = phase { isClosed = true } else { breakHandler = body }
        }
        if isClosed { body() }
    }

    /// Calls `body` for each notification from now on; briefly, under the lock.
    func onNotification(_ body: @escaping @Sendable (Notification) -> Void) {
        confined { notificationHandler = body }
    }

    var activity: String? {
        var text: String?
        confined { text = lastStatement }
        return text
    }

    func close() async {
        // On the queue, since over TLS libpq takes leave of the server.
        await withCheckedContinuation { continuation in
            queue.async {
                self.confined {
                    self.breakHandler = nil
                    self.lose("The connection was closed by this client.")
                }
                continuation.resume()
            }
        }
    }

    // MARK: For the client

    /// Runs an exchange after those submitted before it.
    ///
    /// If the task is cancelled, or the deadline passes, the server is asked to stop, and the answer still tells what
    /// became of the exchange. It comes within `stopLimit`, at the price of the connection if it must be.
    nonisolated(nonsending) func perform(
        _ submission: Submission
    ) async -> (outcome: ExchangeOutcome, stopReason: StopReason?) {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                confined { submit(submission, continuation) }
            }
        } onCancel: {
            guard submission.isCancellable else { return }
            submission.isCancelled.store(true, ordering: .releasing)
            // A task may be cancelled under locks of the runtime, so no other is asked for here.
            queue.async { self.confined { self.stop(submission, because: .taskCancelled) } }
        }
    }

    /// Makes the session ready for its next borrower, or closes it: rolls back what is open, rids the server of statements that were
    /// given up, and makes sure that no request to stop is still on its way.
    nonisolated(nonsending) func settle() async {
        for _ in 0..<3 where !isUsable {
            let submission = Submission(Exchange(body: .settling), deadline: .after(.seconds(5)), isCancellable: false)
            if case .lost = await perform(submission).outcome { return }
        }
        if !isUsable { await close() }
    }
}

/// An exchange on its way to a connection.
final class Submission: Sendable {
    let exchange: Exchange
    let deadline: Deadline
    let isCancellable: Bool
    let isCancelled = Atomic<Bool>(false)

    init(_ exchange: Exchange, deadline: Deadline, isCancellable: Bool = true) {
        self.exchange = exchange
        self.deadline = deadline
        self.isCancellable = isCancellable
    }
}

/// What a connection knows of the exchange that it runs. Belongs to the connection's lock.
final class RunningExchange {
    typealias Ending = (outcome: ExchangeOutcome, stopReason: StopReason?)
    typealias Continuation = CheckedContinuation<Ending, Never>

    /// What was sent, in order; the answers come in the same order.
    enum Command {
        case deallocate(String)
        case prepare(StatementCache.Key, Exchange.Step)
        case execute(StatementCache.Key, Exchange.Step)
    }

    let submission: Submission
    let continuation: Continuation

    init(submission: Submission, continuation: Continuation) {
        self.submission = submission
        self.continuation = continuation
        isScript = switch submission.exchange.body {
        case .script, .copy: true
        default: false
        }
    }

    /// It goes by the simple protocol.
    let isScript: Bool

    var commands: [Command] = []
    var reader = PipelineReader(commandCount: 0)
    var results: [ResultHandle] = []
    var tag = ""
    var failure: (ServerFailure, Exchange.Step)?
    /// Statements that the server has confirmed to be prepared are removed from here.
    var unconfirmed: Set<StatementCache.Key> = []
    var commitWasSent = false
    var stopReason: StopReason?
    /// A request to stop is under way, so the exchange's end has to wait for it.
    var stopIsUnderWay = false
    var stopAgainAt: Deadline?
    var giveUpAt: Deadline?
    /// The end, if it came while a request to stop was under way.
    var outcome: ExchangeOutcome?
}
