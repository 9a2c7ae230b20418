internal import FoundationEssentials
package import Logging
internal import Postgres
internal import Redis
internal import Synchronization
package import Time

/// Puts the jobs of an outbox in the queue: each once, however often the relay is killed, and whatever it was doing then.
///
/// The rows are locked while they are told, so relays of several replicas tell different ones. Redis keeps a mark of each row that was
/// told, set by the script that enqueues: whoever is killed between telling and marking the row leaves the mark for the next. A relay that
/// was stopped in the meantime and goes on later is refused, because what it wants to tell has a last moment; the mark outlives that.
package final class OutboxRelay: Sendable {
    /// How far a round has come. Tests kill the relay there.
    package enum Step: Hashable, Sendable { case locked, told, marked, committed }

    /// By when what was read has to be told.
    static let patience = Duration.seconds(30)
    /// The mark's life while nobody knows whether the row was marked, and afterwards.
    private static let longMemory = Duration.seconds(30 * 86_400)
    private static let shortMemory = Duration.seconds(600)
    /// How long rows are kept that were told.
    private static let rowMemory = Duration.seconds(7 * 86_400)

    private let outbox: Outbox
    private let queue: JobQueue
    private let pollInterval: Duration
    private let logger: Logger
    private let seen = Mutex(OutboxBacklog.none)

    package init(_ outbox: Outbox, to queue: JobQueue, pollInterval: Duration = .milliseconds(250), logger: Logger) {
        self.outbox = outbox
        self.queue = queue
        self.pollInterval = pollInterval
        self.logger = logger
    }

    /// What waited in the outbox a few seconds ago.
    package var backlog: OutboxBacklog { seen.withLock { $0 } }

    /// Tells what there is to tell until the task is cancelled.
    package func run() async {
        var isStuck = false
        var cleanUp = ContinuousClock.now + .seconds(60)
        var look = ContinuousClock.now
        while !Task.isCancelled {
            var count = 0
            do {
                count = try await relay(limit: 100)
                isStuck = false
                if cleanUp <= .now {
                    cleanUp = .now + .seconds(3_600)
                    try await outbox.forget(before: .now() - Self.rowMemory)
                }
            } catch {
                // Once an outage. The rows stay.
                if !isStuck && !Task.isCancelled {
                    logger.warning("the outbox cannot be told", metadata: ["queue": "\(queue.name)", "reason": "\(sentence(of: error))"])
                }
                isStuck = true
            }
            if look <= .now {
                look = .now + .seconds(5)
                // Where the database is away the last one stays.
                if let backlog = try? await outbox.backlog() { seen.withLock { $0 = backlog } }
            }
            // Cancellation ends the wait, and the loop's condition the loop.
            if count < 100 { try? await Task.sleep(for: pollInterval) }
        }
    }

    /// One round. How many events were told by it, or had been before.
    ///
    /// - Parameter reading: the moment at which the rows are read, by Redis' clock, if it was asked already.
    /// - Throws: if Redis or the database could not do their part; what was told by then is marked, or will be by the next round.
    @discardableResult
    package func relay(limit: Int, reading moment: Instant? = nil, after step: (Step) -> Void = { _ in }) async throws -> Int {
        let lastMoment = if let moment { moment + Self.patience } else { try await queue.now() + Self.patience }
        var refusal: JobError?
        let published = try await outbox.dispatch(limit: limit) { events, transaction in
            step(.locked)
            var told: [UUID] = []
            for event in events {
                do throws(JobError) {
                    try await tell(event, until: lastMoment)
                    told.append(event.id)
                } catch {
                    guard error.code == .invalidPayload else {
                        refusal = error
                        break
                    }
                    logger.error("an event of the outbox makes no job", metadata: ["topic": "\(event.topic)", "reason": "\(error)"])
                    try await transaction.execute(.putOff(event.id, because: error.message, in: outbox.table))
                }
                step(.told)
            }
            step(.marked)
            return told
        }
        step(.committed)
        if !published.isEmpty { try? await shortenMemory(of: published) }
        if let refusal { throw refusal }
        return published.count
    }

    private func tell(_ event: OutboxEvent, until lastMoment: Instant) async throws(JobError) {
        let payload: JobValue
        do { payload = try JobValue(parsing: Array(event.payload.text.utf8)) } catch {
            throw JobError(.invalidPayload, "The payload of the event cannot be read as JSON.", cause: error)
        }
        let id = JobID(rawValue: event.id.text)
        let entry = try QueueEntry(
            name: event.topic, payload: payload, instance: id.rawValue, id: id, uniqueKey: event.uniqueKey, due: nil,
            queue: event.priority.queue(queue.name))
        let telling = JobQueue.Telling(event: id.rawValue, memory: Self.longMemory, lastMoment: lastMoment.milliseconds)
        guard try await queue.add(entry, told: telling) != 3 else {
            throw JobError(.unavailable, "The outbox was read too long ago; it is read again.")
        }
    }

    private func shortenMemory(of events: [UUID]) async throws {
        _ = try await queue.redis.send(
            events.map { ["PEXPIRE", JobKeys.told($0.text), Self.shortMemory.millisecondsForRedis] })
    }
}
