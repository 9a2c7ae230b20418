internal import Redis
internal import Time

/// What an operator wants to know of a queue, and of what a worker has done.
package struct JobStatistics: Sendable, Hashable {
    /// One priority.
    package struct Line: Sendable, Hashable {
        package let priority: JobPriority
        /// Jobs that have not ended, those that run and those that are deferred included.
        package let depth: Int
        /// Those whose time has come and that nobody runs.
        package let due: Int
        /// For how long the one that is due longest has waited.
        package let oldestAge: Duration

        package init(priority: JobPriority, depth: Int, due: Int, oldestAge: Duration) {
            self.priority = priority
            self.depth = depth
            self.due = due
            self.oldestAge = oldestAge
        }
    }

    package struct Lines: Sendable, Hashable {
        package var lines: [Line] = []
        package var deadLetters = 0

        package init(lines: [Line] = [], deadLetters: Int = 0) {
            self.lines = lines
            self.deadLetters = deadLetters
        }
    }

    /// Ends of runs, since the worker began.
    package struct Counts: Sendable, Hashable {
        package var done = 0
        /// Failed, and to be tried again.
        package var retried = 0
        package var dead = 0
        package var aborted = 0
        /// Given back because the program was stopped.
        package var givenBack = 0
        /// Taken over by another worker meanwhile.
        package var lost = 0

        package init() {}
    }

    package let queue: String
    /// Runs that go on in this process.
    package let running: Int
    package let counts: Counts
    package let lines: Lines

    package init(queue: String, running: Int, counts: Counts, lines: Lines) {
        self.queue = queue
        self.running = running
        self.counts = counts
        self.lines = lines
    }
}

extension JobQueue {
    /// Counts what waits. One round trip.
    package func lines() async throws(JobError) -> JobStatistics.Lines {
        let now = try await now()
        let priorities = JobPriority.allCases
        let replies = try await asking { () async throws(RedisError) in
            try await redis.send(
                [["ZCARD", JobKeys.dead(name)]]
                    + priorities.flatMap { priority -> [RedisCommand] in
                        let queue = priority.queue(name)
                        return [
                            ["ZCARD", queue], ["ZCOUNT", queue, "-inf", now.milliseconds],
                            ["ZRANGEBYSCORE", queue, "-inf", now.milliseconds, "WITHSCORES", "LIMIT", 0, 1],
                        ]
                    })
        }
        guard replies.count == 1 + priorities.count * 3, let dead = replies[0].integer else { throw .unexpectedReply }
        let lines = priorities.enumerated().map { index, priority in
            let first = 1 + index * 3
            // Whoever puts a job into the queue chooses its score, -inf too: since when such a job is due, nobody can say.
            let score = replies[first + 2].array?.last?.text.flatMap(Double.init).flatMap { Int64(exactly: $0.rounded(.towardZero)) }
            return JobStatistics.Line(
                priority: priority, depth: Int(replies[first].integer ?? 0), due: Int(replies[first + 1].integer ?? 0),
                oldestAge: max(.zero, score.map { now - Instant(milliseconds: $0) } ?? .zero))
        }
        return JobStatistics.Lines(lines: lines, deadLetters: Int(dead))
    }

    /// What `arq --check` looks for, and requests to abort that nobody will heed any more.
    func recordHealth(_ statistics: JobStatistics, life: Duration) async throws(JobError) {
        let now = try await now()
        let counts = statistics.counts
        let queued = statistics.lines.lines.reduce(0) { $0 + $1.depth }
        let text = "\(now.rfc3339) j_complete=\(counts.done) j_failed=\(counts.dead + counts.aborted) j_retried=\(counts.retried) "
            + "j_ongoing=\(statistics.running) queued=\(queued)"
        _ = try await asking { () async throws(RedisError) in
            try await redis.send([
                ["SET", JobKeys.health(name), text, "PX", life.millisecondsForRedis],
                ["ZREMRANGEBYSCORE", JobKeys.abort, "-inf", (now - .seconds(86_400)).milliseconds],
            ])
        }
    }
}
