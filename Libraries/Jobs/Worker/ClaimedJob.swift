internal import Redis
internal import Time

/// A job that this worker has a lease of.
struct ClaimedJob: Sendable {
    let id: JobID
    let queue: String
    /// Nil if it had expired, for arq gives what it enqueues a day to live; or if it is larger than we read.
    let bytes: [UInt8]?
    let byteCount: Int
    /// How many runs were begun, this one included.
    let tries: Int
    let fence: Int64
    /// Where it stood in the queue, as Redis wrote it.
    let score: String
    let isAborted: Bool
    let wasClaimedBefore: Bool

    /// From the script's reply.
    init?(_ reply: RESPValue, queues: [String]) {
        guard let parts = reply.array, parts.count == 9, let id = parts[0].text, let queue = parts[1].integer.flatMap({ Int(exactly: $0) }),
            queues.indices.contains(queue), let tries = parts[3].integer, let fence = parts[4].text.flatMap(Int64.init),
            let score = parts[5].text, let isAborted = parts[6].integer, let before = parts[7].integer, let byteCount = parts[8].integer
        else { return nil }
        self.id = JobID(rawValue: id)
        self.queue = queues[queue]
        bytes = parts[2].bytes
        self.byteCount = Int(clamping: byteCount)
        self.tries = Int(clamping: tries)
        self.fence = fence
        self.score = score
        self.isAborted = isAborted == 1
        wasClaimedBefore = before == 1
    }
}

/// The leases of a worker: what it asks Redis for.
struct JobLeases: Sendable {
    let queue: JobQueue
    let lease: Duration

    /// A look for work: whose queue first, where in each the last look ended, and what it said of Redis' clock.
    struct Look: Sendable {
        private(set) var number = 0
        fileprivate var offsets: [String: Int] = [:]
        fileprivate var clock: (milliseconds: Int64, heardAt: ContinuousClock.Instant)?

        /// High before normal before low, and every eighth time the other way round.
        mutating func next(_ name: String) -> [String] {
            number += 1
            let order = number.isMultiple(of: 8) ? JobPriority.allCases.reversed() : JobPriority.allCases
            return order.map { $0.queue(name) }
        }

        /// Until when, by Redis' clock, it may take jobs for who gives up after so long; a quarter is left for the answer. 0 while the clock is
        /// not known. Where it has jumped ahead one look finds nothing, and hears of it.
        fileprivate func lastMoment(within patience: Duration) -> Int {
            guard let clock else { return 0 }
            let wait = clock.heardAt.duration(to: .now) + patience * 3 / 4
            return Int(clock.milliseconds) + wait.millisecondsForRedis
        }
    }

    func claim(upTo count: Int, _ look: inout Look) async throws(JobError) -> [ClaimedJob] {
        let queues = look.next(queue.name)
        let offsets = queues.map { look.offsets[$0, default: 0] }
        let arguments: [any RedisArgument] =
            [count, lease.millisecondsForRedis] + offsets
            + [
                JobQueue.maximumForeignBodyBytes, JobQueue.maximumForeignBodyBytes * 4,
                look.lastMoment(within: Deadline.current?.remaining ?? lease),
            ]
        let reply = try await queue.asking { () async throws(RedisError) in
            try await queue.redis.evaluate(
                JobScripts.claim, keys: [JobKeys.fence, JobKeys.abort] + queues, arguments: arguments)
        }
        guard let parts = reply.array, parts.count == 3, let next = parts[0].array, next.count == queues.count, let jobs = parts[1].array,
            let now = parts[2].integer
        else { throw .unexpectedReply }
        look.clock = (now, .now)
        for (name, offset) in zip(queues, next) { look.offsets[name] = Int(offset.integer ?? 0) }
        return try jobs.map { reply throws(JobError) in
            guard let job = ClaimedJob(reply, queues: queues) else { throw .unexpectedReply }
            return job
        }
    }

    enum State: Int, Sendable { case lost, held, aborted }

    func renew(_ jobs: [ClaimedJob]) async throws(JobError) -> [State] {
        guard !jobs.isEmpty else { return [] }
        let keys = [JobKeys.abort] + jobs.flatMap { [JobKeys.inProgress($0.id), $0.queue] }
        let arguments: [any RedisArgument] = [lease.millisecondsForRedis] + jobs.flatMap { [$0.id.rawValue, String($0.fence)] }
        let reply = try await queue.asking { () async throws(RedisError) in
            try await queue.redis.evaluate(JobScripts.heartbeat, keys: keys, arguments: arguments)
        }
        guard let states = reply.array, states.count == jobs.count else { throw .unexpectedReply }
        return try states.map { reply throws(JobError) in
            guard let state = reply.integer.flatMap({ State(rawValue: Int($0)) }) else { throw .unexpectedReply }
            return state
        }
    }

    /// What a dead letter says.
    struct Death: Sendable {
        let letter: String
        let name: String?
        let error: String
    }

    /// Whether the job was this worker's to end.
    func finish(
        _ job: ClaimedJob, result: [UInt8]?, life: Duration?, death: Death? = nil
    ) async throws(JobError) -> Bool {
        var arguments: [any RedisArgument] = [
            String(job.fence), job.id.rawValue, life == nil ? [] : result ?? [], life?.millisecondsForRedis ?? 0,
        ]
        if let death {
            arguments += [
                death.letter, "job", job.id.rawValue, "name", death.name ?? "", "queue", job.queue, "tries", job.tries, "error", death.error,
            ] as [any RedisArgument]
        }
        let keys = [
            JobKeys.inProgress(job.id), JobKeys.retry(job.id), JobKeys.body(job.id), JobKeys.result(job.id), job.queue, JobKeys.abort,
            JobKeys.dead(queue.name), JobKeys.deadLetter(death?.letter ?? "", of: queue.name),
        ]
        return try await queue.number(JobScripts.finish, keys, arguments) == 1
    }

    /// To be run again after a delay, or, without one, at once and at its old place. Whether it was this worker's to give.
    func release(_ job: ClaimedJob, after delay: Duration?, counts: Bool) async throws(JobError) -> Bool {
        let arguments: [any RedisArgument] = [
            String(job.fence), job.id.rawValue, delay == nil ? job.score : "", delay?.millisecondsForRedis ?? 0, counts ? "1" : "0",
        ]
        let keys = [JobKeys.inProgress(job.id), JobKeys.retry(job.id), job.queue]
        return try await queue.number(JobScripts.release, keys, arguments) == 1
    }

    /// How long a run of a job with a rate has to wait for its moment.
    func wait(of job: ClaimedJob, _ name: String, at rate: JobRate) async throws(JobError) -> Duration {
        let keys = [JobKeys.lastMoment(of: name, in: queue.name), JobKeys.moment(job.id)]
        return .milliseconds(try await queue.number(JobScripts.moment, keys, [rate.spacing.wholeMicroseconds]))
    }

    /// The producer says which run its job begins with.
    func setTries(of job: ClaimedJob, to tries: Int) async throws(JobError) {
        _ = try await queue.asking { () async throws(RedisError) in try await queue.redis.send(["SET", JobKeys.retry(job.id), tries]) }
    }
}
