internal import Synchronization
internal import Time

/// Gathers the single inserts of many callers into few statements, by number, by bytes and by age.
///
/// A caller goes on when its row is committed, and not before, or with the error that is its own: where one row is
/// refused, the others of its batch go in. Nothing is sent twice that may have been committed; if a connection is lost at
/// the end of a batch, each of its callers gets `.outcomeUnknown`.
///
/// `run()` has to be running, and the client's pool for longer than that.
package final class BatchInsertManager<Record: Sendable>: Sendable {
    private struct State {
        var queue: BatchQueue<Record>
        var callers: [Int: CheckedContinuation<Result<Void, PostgresError>, Never>] = [:]
        /// Answers that came before their caller had suspended.
        var early: [Int: Result<Void, PostgresError>] = [:]
        var nextID = 0
    }

    private let configuration: BatchConfiguration
    private let writer: BatchWriter<Record>
    private let state: Mutex<State>
    private let wake = WakeUp()

    /// - Parameters:
    ///   - ignoresConflicts: a row that exists already is no error (`ON CONFLICT DO NOTHING`), so that callers may repeat
    ///     what they sent.
    ///   - encode: writes a record's values, one a column, each time with the same types.
    package init(
        _ postgres: Postgres, into target: TableColumns, ignoresConflicts: Bool = false,
        configuration: BatchConfiguration = BatchConfiguration(),
        encode: @escaping @Sendable (inout BatchRow, Record) -> Void
    ) {
        self.configuration = configuration
        writer = BatchWriter(
            postgres: postgres, target: target, ignoresConflicts: ignoresConflicts, tier: configuration.tier,
            encode: encode
        )
        state = Mutex(State(queue: BatchQueue(configuration: configuration)))
    }

    /// Rows that wait for their batch at the moment.
    package var queuedCount: Int { state.withLock { $0.queue.count } }
    /// The bytes of their values.
    package var queuedBytes: Int { state.withLock { $0.queue.bytes } }

    // MARK: Single rows

    /// Inserts a row; returns when it is committed.
    ///
    /// - Throws: what the server said of this row; `.poolTimeout` if too many wait already, or too many bytes of them, `.queryCancelled` or
    ///   `.statementTimeout` if the task was cancelled or `Deadline.current` passed before its batch was sent. Once it is
    ///   sent, its outcome is waited for: it comes within the tier's limit. `.outcomeUnknown` as `Postgres.execute`.
    nonisolated(nonsending) package func insert(
        _ record: Record, identity: Identity = .none
    ) async throws(PostgresError) {
        let id = try enqueue(record, identity)
        wake.signal()
        let outcome: Result<Void, PostgresError>
        if let deadline = Deadline.current {
            // Cancelled and awaited when this scope is left.
            async let _: Void = expire(id, identity, deadline)
            outcome = await wait(for: id, identity)
        } else {
            outcome = await wait(for: id, identity)
        }
        try outcome.get()
    }

    private func enqueue(_ record: Record, _ identity: Identity) throws(PostgresError) -> Int {
        let bytes = writer.bytes(of: record)
        let (id, isDraining) = state.withLock { state -> (Int?, Bool) in
            state.nextID += 1
            let entry = BatchQueue<Record>.Entry(id: state.nextID, record: record, bytes: bytes, arrival: .now)
            let isTaken = state.queue.add(entry, of: identity)
            return (isTaken ? state.nextID : nil, state.queue.isDraining)
        }
        if let id { return id }
        if isDraining {
            throw PostgresError(.connectionFailed, "The rows that wait are written, and no more are taken. Nothing was sent.")
        }
        throw PostgresError(
            .poolTimeout,
            "As many rows wait to be written already as may: \(configuration.maximumQueued), or \(configuration.maximumQueuedBytes) bytes of them.")
    }

    nonisolated(nonsending) private func wait(
        for id: Int, _ identity: Identity
    ) async -> Result<Void, PostgresError> {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let early = state.withLock { state -> Result<Void, PostgresError>? in
                    if let early = state.early.removeValue(forKey: id) { return early }
                    state.callers[id] = continuation
                    return nil
                }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            giveUp(id, identity, PostgresError(.queryCancelled, "The task was cancelled before its row was sent."))
        }
    }

    private func expire(_ id: Int, _ identity: Identity, _ deadline: Deadline) async {
        // Sleeping ends early only when the row has its answer, and then there is nothing to expire.
        guard (try? await Task.sleep(for: deadline.remaining)) != nil else { return }
        giveUp(id, identity, PostgresError(.statementTimeout, "The deadline passed before the row was sent."))
    }

    /// Only what has not been sent can be given up.
    private func giveUp(_ id: Int, _ identity: Identity, _ error: PostgresError) {
        let isRemoved = state.withLock { $0.queue.remove(id, of: identity) }
        if isRemoved { answer([id], .failure(error)) }
    }

    private func answer(_ ids: [Int], _ outcome: Result<Void, PostgresError>) {
        var callers: [CheckedContinuation<Result<Void, PostgresError>, Never>] = []
        state.withLock { state in
            for id in ids {
                if let caller = state.callers.removeValue(forKey: id) {
                    callers.append(caller)
                } else {
                    state.early[id] = outcome
                }
            }
        }
        for caller in callers { caller.resume(returning: outcome) }
    }

    // MARK: Running

    /// Writes batches until the task is cancelled; then takes no more rows, writes those that wait, and returns when
    /// every caller has its answer. Runs once.
    package func run() async {
        // The work must outlive the cancellation that begins the draining, so it does not inherit it.
        let work = Task { await self.work() }
        await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            self.state.withLock { $0.queue.drain() }
            self.wake.signal()
        }
    }

    private func work() async {
        await withDiscardingTaskGroup { group in
            while true {
                let (batch, date, isFinished) = state.withLock { state in
                    (state.queue.take(at: .now), state.queue.nextDate(), state.queue.isFinished)
                }
                if let batch {
                    group.addTask { await self.write(batch) }
                } else if isFinished {
                    return
                } else {
                    await wake.wait(until: date)
                }
            }
        }
    }

    private func write(_ batch: BatchQueue<Record>.Batch) async {
        await writer.write(batch.entries.map(\.record)[...], identity: batch.identity) { rows, outcome in
            answer(batch.entries[rows].map(\.id), outcome)
        }
        state.withLock { $0.queue.written() }
        wake.signal()
    }

    // MARK: Many rows

    /// Inserts the rows of a sequence in batches of `maximumRows` or `maximumBytes`, of which `maximumInFlight` are written at a time; the
    /// sequence is not asked for more than that. Each batch is a transaction of its own, and a row that is refused is
    /// told in the report while the rest go in.
    ///
    /// Stops at the first batch that fails for another reason than a row's, or when `maximumRefusals` rows have been
    /// refused: the report says what became of every row that was taken. Needs no `run()`.
    ///
    /// - Throws: what `rows` throws; what has been committed until then stays.
    package func load<Rows: AsyncSequence>(
        _ rows: Rows, identity: Identity = .none, maximumRefusals: Int = 10_000
    ) async throws -> BatchReport where Rows.Element == Record {
        try await withThrowingTaskGroup(of: BatchReport.self) { group in
            var report = BatchReport()
            var iterator = rows.makeAsyncIterator()
            var inFlight = 0
            while report.failed.isEmpty, report.refused.count < maximumRefusals {
                var records: [Record] = []
                var bytes = 0
                records.reserveCapacity(configuration.maximumRows)
                while records.count < configuration.maximumRows, bytes < configuration.maximumBytes,
                      let record = try await iterator.next() {
                    records.append(record)
                    bytes += writer.bytes(of: record)
                }
                guard !records.isEmpty else { break }
                if inFlight == configuration.maximumInFlight, let done = try await group.next() {
                    report.add(done)
                    inFlight -= 1
                }
                let (first, batch) = (report.taken, records)
                report.taken += records.count
                inFlight += 1
                group.addTask { await self.load(batch, from: first, identity) }
            }
            for try await done in group { report.add(done) }
            report.refused.sort { $0.row < $1.row }
            return report
        }
    }

    private func load(_ records: [Record], from first: Int, _ identity: Identity) async -> BatchReport {
        var report = BatchReport()
        await writer.write(records[...], identity: identity) { rows, outcome in
            switch outcome {
            case .success: report.inserted += rows.count
            case .failure(let error) where rows.count == 1 && error.concernsRows:
                report.refused.append(BatchReport.Refusal(row: first + rows.lowerBound, error: error))
            case .failure(let error):
                let rows = first + rows.lowerBound..<first + rows.upperBound
                report.failed.append(BatchReport.Failure(rows: rows, error: error))
            }
        }
        return report
    }
}

/// What became of the rows of a `load`. Rows are counted from 0 in the order of the sequence.
package struct BatchReport: Sendable {
    /// A row that the server did not take.
    package struct Refusal: Sendable {
        package let row: Int
        package let error: PostgresError
    }

    /// Rows that were not written for a reason that is none of theirs. With `.outcomeUnknown` they may have been.
    package struct Failure: Sendable {
        package let rows: Range<Int>
        package let error: PostgresError
    }

    /// Rows that were taken from the sequence; those after them were not asked for.
    package fileprivate(set) var taken = 0
    package fileprivate(set) var inserted = 0
    package fileprivate(set) var refused: [Refusal] = []
    package fileprivate(set) var failed: [Failure] = []

    fileprivate mutating func add(_ other: BatchReport) {
        inserted += other.inserted
        refused += other.refused
        failed += other.failed
    }
}
