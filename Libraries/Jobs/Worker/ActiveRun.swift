internal import Synchronization

/// A run that goes on in this process: its lease as far as we know of it, and why it is to stop.
final class ActiveRun: Sendable {
    enum Stop: Sendable { case draining, leaseLost, aborted, timedOut }

    private struct State {
        var leaseEnd: ContinuousClock.Instant
        var stop: Stop?
        var stoppedAt: ContinuousClock.Instant?
        var handler: Task<JobValue, any Error>?
        var isSettled = false
    }

    let job: ClaimedJob
    private let state: Mutex<State>

    init(_ job: ClaimedJob, leaseEnd: ContinuousClock.Instant) {
        self.job = job
        state = Mutex(State(leaseEnd: leaseEnd))
    }

    var stop: Stop? { state.withLock(\.stop) }
    var isSettled: Bool { state.withLock(\.isSettled) }

    /// By the clock of this process, which runs on while Redis cannot be asked. Counted from when the lease was asked for, so it never
    /// ends later here than there.
    var holdsLease: Bool { state.withLock { $0.leaseEnd > .now } }

    /// Whether its handler goes on though it was cancelled, for longer than this.
    func hasIgnoredStop(for patience: Duration) -> Bool {
        state.withLock { state in
            guard !state.isSettled, let stoppedAt = state.stoppedAt else { return false }
            return stoppedAt + patience < ContinuousClock.now
        }
    }

    func extend(until end: ContinuousClock.Instant) { state.withLock { $0.leaseEnd = max($0.leaseEnd, end) } }

    /// Takes the handler's task, to cancel it when it has to stop.
    func begin(_ handler: Task<JobValue, any Error>) {
        let hasStopped = state.withLock { state in
            state.handler = handler
            return state.stop != nil
        }
        if hasStopped { handler.cancel() }
    }

    /// Cancels the handler. The first reason stays.
    func stop(because reason: Stop) {
        let handler = state.withLock { state in
            state.stop = state.stop ?? reason
            state.stoppedAt = state.stoppedAt ?? ContinuousClock.now
            return state.handler
        }
        handler?.cancel()
    }

    /// `true` for the first who asks, who then tells Redis how the run ended.
    func settle() -> Bool {
        state.withLock { state in
            defer { state.isSettled = true }
            return !state.isSettled
        }
    }
}
