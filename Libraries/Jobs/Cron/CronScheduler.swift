package import Logging
internal import Redis
package import Time

/// Enqueues jobs by the clock: each moment's once, however many replicas have a scheduler, for which of them is first is decided in Redis.
///
/// The clock is Redis', so clocks of replicas that differ or jump have no part in it.
package struct CronScheduler: Sendable {
    private let queue: JobQueue
    private let entries: [CronEntry]
    private let logger: Logger

    package init(_ queue: JobQueue, entries: [CronEntry], logger: Logger) {
        precondition(Set(entries.map(\.name)).count == entries.count, "two cron entries of one name")
        self.queue = queue
        self.entries = entries
        self.logger = logger
    }

    /// Looks at the clock once a second until the task is cancelled.
    package func run() async {
        var clock = SteadyClock()
        var isAway = false
        while !Task.isCancelled {
            do throws(JobError) {
                let now = try await queue.now()
                if clock.believes(now, at: .now) { try await enqueue(at: now) }
                isAway = false
            } catch {
                // Once an outage; what is due meanwhile is caught up with.
                if !isAway && !Task.isCancelled {
                    logger.warning("the clock's jobs cannot be enqueued", metadata: ["queue": "\(queue.name)", "reason": "\(error)"])
                }
                isAway = true
            }
            // Cancellation ends the wait, and the loop's condition the loop.
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Enqueues what is due at a moment and has not been yet. The ids of what this call enqueued.
    @discardableResult
    package func enqueue(at now: Instant) async throws(JobError) -> [JobID] {
        guard !entries.isEmpty else { return [] }
        let reply = try await queue.asking { () async throws(RedisError) in
            try await queue.redis.send(RedisCommand(["HMGET", JobKeys.cron] + entries.map(field)))
        }
        guard let slots = reply.array, slots.count == entries.count else { throw .unexpectedReply }
        var enqueued: [JobID] = []
        for (entry, slot) in zip(entries, slots) {
            let last = slot.text.flatMap(Int64.init).map { Instant(milliseconds: $0) }
            switch entry.decision(last: last, now: now) {
            case .nothing: break
            case .note(let slot): _ = try await move(entry, from: last, to: slot, enqueueing: nil)
            case .fire(let slots):
                var last = last
                for slot in slots {
                    let job = try entry.entry(slot, queue.name)
                    let answer = try await move(entry, from: last, to: slot, enqueueing: job)
                    // Another replica deals with the entry.
                    guard answer != 0 else { break }
                    if answer == 1 {
                        enqueued.append(job.id)
                    } else {
                        logger.notice("a job by the clock was left out, for the one before has not ended", metadata: ["entry": "\(entry.name)"])
                    }
                    last = slot
                }
            }
        }
        return enqueued
    }

    private func field(_ entry: CronEntry) -> String { "\(queue.name)/\(entry.name)" }

    private func move(_ entry: CronEntry, from last: Instant?, to slot: Instant, enqueueing job: QueueEntry?) async throws(JobError) -> Int {
        let id = job?.id ?? JobID(rawValue: "cron:\(entry.name)")
        let keys = [JobKeys.cron, JobKeys.body(id), JobKeys.result(id), JobKeys.retry(id), job?.queue ?? queue.name]
        let arguments: [any RedisArgument] = [
            field(entry), last.map { String($0.milliseconds) } ?? "", slot.milliseconds, id.rawValue, job?.bytes ?? [],
        ]
        return try await queue.number(JobScripts.fire, keys, arguments)
    }
}
