internal import ConnectionPool
internal import Dispatch
internal import Synchronization
internal import Time

/// One session with the server, which runs one exchange at a time.
///
/// All its state, and every call into libpq, belongs to its own serial queue, which is why the type may be shared
/// between threads. The queue's thread never waits for the server: it is woken by the socket. (Dispatch gives such a
/// queue a thread of its own where one is needed, so even the resolution of a name blocks nobody else.)
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

    let queue = DispatchQueue(label: "heartguard.postgres.connection")
    /// Requests to stop block in libpq, so they have a queue, and thereby a thread, of their own.
    let stopQueue = DispatchQueue(label: "heartguard.postgres.stop")
    let configuration: PostgresConfiguration
    /// Whether the session may be lent; written on the queue, read anywhere.
    let usable = Atomic<Bool>(false)

    // MARK: Belonging to the queue

    var phase = Phase.connecting
    var handle: ConnectionHandle?
    var watcher: SocketWatcher?
    var stopper: CancelHandle?
    var statements = StatementCache(capacity: Connection.statementCapacity)
    var running: RunningExchange?
    var waiting: [RunningExchange] = []
    var copy: RunningCopy?
    /// A request to stop was sent, and only an answer to a later statement shows that it cannot hit that one.
    var needsSettling = false
    var connecting: CheckedContinuation<PostgresError?, Never>?
    var connectDeadline: Deadline?
    var alarm: (any DispatchSourceTimer)?
    var alarmIsSetFor: Deadline?
    var breakHandler: (@Sendable () -> Void)?

    init(configuration: PostgresConfiguration) {
        self.configuration = configuration
    }

    deinit { alarm?.cancel() }

    // MARK: For the pool

    var isUsable: Bool { usable.load(ordering: .acquiring) }

    func isHealthy() async -> Bool {
        let submission = Submission(Exchange(body: .settling), deadline: .after(.seconds(5)), isCancellable: false)
        guard case .completed = await perform(submission).outcome else { return false }
        return isUsable
    }

    func onBreak(_ body: @escaping @Sendable () -> Void) {
        queue.async {
            if case .closed = self.phase { body() } else { self.breakHandler = body }
        }
    }

    func close() async {
        await withCheckedContinuation { continuation in
            queue.async {
                self.breakHandler = nil
                self.lose("The connection was closed by this client.")
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
                queue.async { self.submit(submission, continuation) }
            }
        } onCancel: {
            guard submission.isCancellable else { return }
            submission.isCancelled.store(true, ordering: .releasing)
            queue.async { self.stop(submission, because: .taskCancelled) }
        }
    }

    /// Makes the session ready for its next borrower, or closes it: rolls back what is open, and makes sure that no
    /// request to stop is still on its way.
    nonisolated(nonsending) func settle() async {
        for _ in 0..<3 where !isUsable {
            let submission = Submission(Exchange(body: .settling), deadline: .after(.seconds(5)), isCancellable: false)
            if case .lost = await perform(submission).outcome { return }
        }
        if !isUsable { await close() }
    }
}

/// An exchange on its way to a connection's queue.
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

/// What a connection knows of the exchange that it runs.
struct RunningExchange {
    typealias Continuation = CheckedContinuation<(outcome: ExchangeOutcome, stopReason: StopReason?), Never>

    /// What was sent, in order; the answers come in the same order.
    enum Command {
        case deallocate(String)
        case prepare(StatementCache.Key, Exchange.Step)
        case execute(StatementCache.Key, Exchange.Step)
    }

    let submission: Submission
    let continuation: Continuation
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
