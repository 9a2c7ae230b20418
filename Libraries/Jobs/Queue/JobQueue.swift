internal import FoundationEssentials
package import Redis
package import Time

/// A queue of jobs in the durable Redis, in arq's layout: what is enqueued here an arq worker may run, and the other way round, as long as
/// both write JSON.
///
/// A job that was taken stays until it has ended or is a dead letter. Neither its id nor its body has a time to live, and a Redis that is
/// full refuses the next one. Enqueueing is one round trip.
package struct JobQueue: Sendable {
    /// The largest body. What is larger belongs into a table, and its id into the payload.
    package static let maximumBodyBytes = 1 << 20
    /// What is read of another program's making.
    package static let maximumForeignBodyBytes = 4 << 20

    let redis: Redis
    /// The line of normal priority; those of high and low have their word behind it.
    package let name: String

    /// - Parameter redis: a client of the durable role.
    package init(redis: Redis, name: String = "arq:queue") {
        precondition(redis.role == .durable, "jobs belong into the Redis that never evicts")
        self.redis = redis
        self.name = name
    }

    /// What came of enqueueing. Either way the job of this id will run, or has run and can be asked for its result.
    package enum Enqueued: Hashable, Sendable {
        case added(JobID)
        /// A job with this id or unique key is queued, runs, or, unless it has a unique key, has left a result.
        case alreadyThere(JobID)

        package var id: JobID {
            switch self {
            case .added(let id), .alreadyThere(let id): id
            }
        }
    }

    /// Puts a job in the queue, to be run at once or not before `due`.
    ///
    /// - Parameter id: under which a second one is not taken. The job's unique key stands before it; without either it is a new one.
    /// - Throws: `.full` or `.unavailable` if nothing was enqueued; `.outcomeUnknown` if that is not known; `.invalidPayload`.
    @discardableResult
    package func enqueue<Payload>(
        _ job: Job<Payload>, _ payload: Payload, id: JobID? = nil, due: Instant? = nil
    ) async throws(JobError) -> Enqueued {
        let entry = try QueueEntry(job, payload, id: id, due: due, queue: name)
        return try await add(entry, told: nil) == 1 ? .added(entry.id) : .alreadyThere(entry.id)
    }

    /// A row of an outbox that is told: its name, how long that is remembered, and until when it may be told.
    struct Telling: Sendable {
        let event: String
        let memory: Duration
        let lastMoment: Int64
    }

    /// The number that the script returns.
    func add(_ entry: QueueEntry, told: Telling?) async throws(JobError) -> Int {
        var keys = [JobKeys.body(entry.id), JobKeys.result(entry.id), JobKeys.retry(entry.id), entry.queue]
        var arguments: [any RedisArgument] = [
            entry.id.rawValue, entry.bytes, entry.due.map { String($0.milliseconds) } ?? "", entry.isUnique ? "1" : "0",
        ]
        if let told {
            keys.append(JobKeys.told(told.event))
            arguments += [told.memory.millisecondsForRedis, told.lastMoment] as [any RedisArgument]
        }
        return try await number(JobScripts.enqueue, keys, arguments)
    }

    /// What a job that has ended has left; nil if it has not ended, or its result's life is over.
    package func result(of id: JobID) async throws(JobError) -> JobResult? {
        guard let bytes = try await asking({ () async throws(RedisError) in try await redis.get(JobKeys.result(id)) }) else { return nil }
        guard let result = JobResult(parsing: bytes, id: id) else {
            throw JobError(.unexpectedReply, "The result of the job is not in the form that this program reads.")
        }
        return result
    }

    package enum Status: String, Hashable, Sendable {
        case deferred, queued, running, ended, unknown
    }

    /// Where a job is. One round trip.
    package func status(of id: JobID) async throws(JobError) -> Status {
        let queues = JobPriority.allCases.map { $0.queue(name) }
        let replies = try await asking { () async throws(RedisError) in
            try await redis.transaction(
                [["EXISTS", JobKeys.result(id)], ["EXISTS", JobKeys.inProgress(id)], ["TIME"]]
                    + queues.map { ["ZSCORE", $0, id.rawValue] })
        }
        guard replies.count == 3 + queues.count else { throw .unexpectedReply }
        if replies[0].integer == 1 { return .ended }
        if replies[1].integer == 1 { return .running }
        guard let score = replies.dropFirst(3).compactMap({ $0.text.flatMap(Double.init) }).first else { return .unknown }
        guard let now = Instant(redisTime: replies[2]) else { throw .unexpectedReply }
        return score > Double(now.milliseconds) ? .deferred : .queued
    }

    /// Asks that a job be ended without having been done, as arq's `Job.abort` does: one that waits is not begun, the task of one that
    /// runs is cancelled at its worker's next heartbeat. What it had committed by then stays.
    package func abort(_ id: JobID) async throws(JobError) {
        let now = try await now()
        _ = try await asking { () async throws(RedisError) in
            try await redis.send(
                [["ZADD", JobKeys.abort, now.milliseconds, id.rawValue]]
                    // One that is deferred comes up now, to be ended.
                    + JobPriority.allCases.map { ["ZADD", $0.queue(name), "XX", "LT", now.milliseconds, id.rawValue] })
        }
    }

    /// Redis' clock.
    func now() async throws(JobError) -> Instant {
        let reply = try await asking { () async throws(RedisError) in try await redis.send(["TIME"]) }
        guard let now = Instant(redisTime: reply) else { throw .unexpectedReply }
        return now
    }

    func number(_ script: RedisScript, _ keys: [String], _ arguments: [any RedisArgument]) async throws(JobError) -> Int {
        let reply = try await asking { () async throws(RedisError) in
            try await redis.evaluate(script, keys: keys, arguments: arguments)
        }
        guard let number = reply.integer else { throw .unexpectedReply }
        return Int(number)
    }

    func asking<Value>(_ body: () async throws(RedisError) -> Value) async throws(JobError) -> Value {
        do throws(RedisError) { return try await body() } catch { throw JobError(error) }
    }
}

/// A job as it is put in a queue.
struct QueueEntry: Sendable {
    let id: JobID
    let isUnique: Bool
    let queue: String
    let due: Instant?
    let bytes: [UInt8]

    init<Payload>(_ job: Job<Payload>, _ payload: Payload, id: JobID?, due: Instant?, queue: String) throws(JobError) {
        let value: JobValue
        do { value = try JobValue(payload) } catch {
            throw JobError(.invalidPayload, "The payload of the job cannot be written as JSON.", cause: error)
        }
        try self.init(
            name: job.name, payload: value, id: id, uniqueKey: job.uniqueKey?(payload), due: due, queue: job.priority.queue(queue))
    }

    init(
        name: String, payload: JobValue, instance: String? = nil, id: JobID?, uniqueKey: String?, due: Instant?, queue: String
    ) throws(JobError) {
        var body = JobBody(function: name, payload: payload, enqueuedAt: .now())
        if let instance { body.instance = instance }
        do { bytes = try body.bytes } catch {
            throw JobError(.invalidPayload, "The payload of the job cannot be written as JSON.", cause: error)
        }
        guard bytes.count <= JobQueue.maximumBodyBytes else {
            throw JobError(.invalidPayload, "The payload of the job is larger than 1 MiB; name what it is about by an id.")
        }
        isUnique = uniqueKey != nil
        self.id = uniqueKey.map { JobID(rawValue: "\(name):\($0)") } ?? id ?? JobID(rawValue: UUIDv7.make().text)
        self.queue = queue
        self.due = due
    }
}

extension Instant {
    /// What `TIME` answers: seconds and microseconds.
    init?(redisTime reply: RESPValue) {
        guard let parts = reply.array, parts.count == 2, let seconds = parts[0].text.flatMap(Int64.init),
            let microseconds = parts[1].text.flatMap(Int64.init), (0..<1_000_000).contains(microseconds)
        else { return nil }
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, carried) = whole.addingReportingOverflow(microseconds)
        guard !overflow, !carried else { return nil }
        self.init(microsecondsSinceEpoch: sum)
    }
}
