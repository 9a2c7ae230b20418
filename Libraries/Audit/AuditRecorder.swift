internal import FoundationEssentials
package import Logging
package import Postgres
package import Redis
internal import Synchronization
internal import Time

/// Puts the events of a process on record, many in one statement.
///
/// Whoever records goes on when the event is committed, and not before. What waits while one statement is on its way goes with the next, so
/// that an event costs one row, however many there are. The process writes a chain of its own: replicas have no lock in common, and a chain
/// cannot fork. Where it cannot be found out whether the end of the chain is committed, the chain is left as it is and another begun.
///
/// `run` has to be running, and the client's pool for longer than that.
package final class AuditRecorder: Sendable {
    package struct Limits: Sendable {
        /// Events that wait at once; one more is refused.
        package var maximumQueued = 20_000
        /// Events of one statement.
        package var maximumRows = 1_000
        /// How long the database may fail before those who wait are told.
        package var patience = Duration.seconds(2)

        package init() {}
    }

    /// What the recorder has done.
    package struct Counts: Hashable, Sendable {
        package fileprivate(set) var events = 0
        package fileprivate(set) var batches = 0
        /// Statements that were sent again.
        package fileprivate(set) var retries = 0
        /// Events that were not written, and whose calls were told so.
        package fileprivate(set) var failures = 0
        /// Events that were refused because too many waited.
        package fileprivate(set) var refusals = 0
        /// How long all events that were written have waited for it together.
        package fileprivate(set) var waited = Duration.zero
        package fileprivate(set) var waiting = 0
    }

    private struct Entry {
        let event: AuditEvent
        let waiter: AuditWaiter
        let arrival: ContinuousClock.Instant
    }

    private struct State {
        var queue: [Entry] = []
        var isDraining = false
        var counts = Counts()
    }

    private let postgres: Postgres
    private let limits: Limits
    private let logger: Logger
    private let state = Mutex(State())
    private let wake = WakeUp()
    private let anchors = AuditAnchors()

    package init(_ postgres: Postgres, limits: Limits = Limits(), logger: Logger) {
        self.postgres = postgres
        self.limits = limits
        self.logger = logger
    }

    package var counts: Counts {
        state.withLock { state in
            var counts = state.counts
            counts.waiting = state.queue.count
            return counts
        }
    }

    /// Returns when the event is committed. A task that is cancelled meanwhile waits no longer; its event is written all the same.
    nonisolated(nonsending) package func record(_ event: AuditEvent) async throws(AuditError) {
        let waiter = AuditWaiter()
        try enqueue(Entry(event: event, waiter: waiter, arrival: .now))
        wake.signal()
        try await waiter.outcome().get()
    }

    private func enqueue(_ entry: Entry) throws(AuditError) {
        let refusal = state.withLock { state -> AuditError.Code? in
            if state.isDraining { return .stopping }
            guard state.queue.count < limits.maximumQueued else {
                state.counts.refusals += 1
                return .full
            }
            state.queue.append(entry)
            return nil
        }
        if let refusal { throw AuditError(refusal) }
    }

    /// Writes events until the task is cancelled; then takes no more, writes those that wait, and returns. Runs once.
    ///
    /// - Parameter redis: where the chain's end is kept, outside of the database, once a second and when it stops. Nobody waits for that.
    package func run(anchoringIn redis: Redis?) async {
        // What is done after the cancellation must not be cancelled.
        let work = Task {
            async let anchoring: Void = anchors.run(redis)
            await writeEvents()
            anchors.finish()
            await anchoring
        }
        await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            state.withLock { $0.isDraining = true }
            wake.signal()
        }
    }

    private func writeEvents() async {
        var chain = AuditChain()
        while true {
            let (batch, isFinished) = state.withLock { state in
                let batch = Array(state.queue.prefix(limits.maximumRows))
                if batch.count == state.queue.count {
                    state.queue.removeAll(keepingCapacity: true)
                } else {
                    state.queue.removeFirst(batch.count)
                }
                return (batch, state.isDraining)
            }
            if !batch.isEmpty {
                await write(batch, behind: &chain)
            } else if isFinished {
                return
            } else {
                await wake.wait(until: nil)
            }
        }
    }

    private func write(_ entries: [Entry], behind chain: inout AuditChain) async {
        let batch = AuditBatch(entries.map(\.event), behind: chain)
        let began = ContinuousClock.now
        var isUnknown = false
        var pause = Duration.milliseconds(10)
        while true {
            do throws(PostgresError) {
                // Sent again it changes nothing, so this is also how a lost answer is found out.
                try await postgres.execute(.record(batch))
                chain = batch.end
                anchors.set(batch.end.head)
                return answer(entries)
            } catch {
                isUnknown = isUnknown || error.code == .outcomeUnknown
                let helps = error.isTransient || error.code == .outcomeUnknown
                guard helps, began.duration(to: .now) < limits.patience else {
                    if isUnknown || !error.isTransient { chain = AuditChain() }
                    return giveUp(entries, error)
                }
                state.withLock { $0.counts.retries += 1 }
                // Never cancelled: `run` keeps the cancellation from this task.
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .milliseconds(250))
            }
        }
    }

    private func answer(_ entries: [Entry]) {
        let now = ContinuousClock.now
        state.withLock { state in
            state.counts.events += entries.count
            state.counts.batches += 1
            for entry in entries { state.counts.waited += entry.arrival.duration(to: now) }
        }
        for entry in entries { entry.waiter.answer(.success(())) }
    }

    /// Tells those of a statement, and those who have waited for it, that nothing is on record of them.
    private func giveUp(_ entries: [Entry], _ error: PostgresError) {
        let waiting = state.withLock { state in
            defer { state.queue.removeAll() }
            state.counts.failures += entries.count + state.queue.count
            return state.queue
        }
        logger.error(
            "events could not be put on record, and their calls were refused",
            metadata: ["events": "\(entries.count + waiting.count)", "cause": "\(error.description)"])
        for entry in entries + waiting { entry.waiter.answer(.failure(AuditError(.notWritten, cause: error))) }
    }
}
