internal import FoundationEssentials
internal import Logging
internal import Resilience
internal import Synchronization
internal import Time

/// Sees to it that the blocklist in Redis has what the record in Postgres has: when the program starts, when Redis was restarted or
/// emptied or has evicted, and when a revocation could not be told or nobody knows whether it was committed.
///
/// Until it has, nobody takes the blocklist's silence for an answer: every service asks the record.
final class BlocklistKeeper: Sendable {
    private let record: RevocationRepository
    private let blocklist: TokenBlocklist
    private let logger: Logger
    private let interval: Duration
    private let state = Mutex(State())

    private struct State {
        /// The state of Redis in which all was listed.
        var filled: TokenBlocklist.Run?
        /// Whether something could not be told since.
        var owes = true
        var lastFailure: String?
    }

    init(record: RevocationRepository, blocklist: TokenBlocklist, logger: Logger, interval: Duration = .seconds(1)) {
        self.record = record
        self.blocklist = blocklist
        self.logger = logger
        self.interval = interval
    }

    /// A revocation is in the record, or may be, and could not be told.
    func owes() { state.withLock { $0.owes = true } }

    /// Runs until it is cancelled.
    func run() async {
        var round = 0
        while !Task.isCancelled {
            do {
                try await keep()
                // Nothing depends on when it happens: an hour's rows are few.
                if round % 600 == 0 { try await record.forgetExpired() }
                state.withLock { $0.lastFailure = nil }
            } catch {
                tell(error)
            }
            round += 1
            // Cancellation only ends the wait; the loop's condition ends the loop.
            try? await Task.sleep(for: interval)
        }
    }

    /// Fills the blocklist if it may lack something.
    func keep() async throws {
        let run = try await blocklist.run()
        let (filled, owed) = state.withLock { state in
            defer { state.owes = false }
            return (state.filled, state.owes)
        }
        do {
            if !owed, filled == run, try await blocklist.isComplete() { return }
            try await fill(run)
        } catch {
            owes()
            throw error
        }
    }

    private func fill(_ run: TokenBlocklist.Run) async throws {
        var count = 0
        var last = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        while true {
            let page = try await record.current(after: last, limit: Self.pageSize)
            try await blocklist.add(page)
            count += page.count
            guard page.count == Self.pageSize, let id = page.last?.id else { break }
            last = id
        }
        guard try await blocklist.declareComplete(since: run) else {
            owes()
            return
        }
        state.withLock { $0.filled = run }
        logger.info("the blocklist was filled from the record", metadata: ["revocations": "\(count)"])
    }

    private static let pageSize = 10_000

    /// Once for each kind of failure: an outage of an hour is one line.
    private func tell(_ error: any Error) {
        let failure = "\(error)"
        let isNew = state.withLock { state in
            defer { state.lastFailure = failure }
            return state.lastFailure != failure
        }
        if isNew, !(error is CancellationError) {
            logger.warning("the blocklist cannot be filled; services ask the record", metadata: ["reason": "\(failure)"])
        }
    }
}
