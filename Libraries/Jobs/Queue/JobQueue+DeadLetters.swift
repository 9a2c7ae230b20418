internal import Redis
package import Time

/// A job that failed for the last time, kept until an operator replays or drops it.
package struct DeadLetter: Hashable, Sendable {
    /// The letter's own id: a job's id may die more than once.
    package let id: String
    package let job: JobID
    /// The job's name; nil if its body could not be read.
    package let name: String?
    package let queue: String
    package let tries: Int
    /// What ended the last run: a sentence without anybody's values.
    package let lastError: String
    package let diedAt: Instant
    package let hasBody: Bool
}

extension JobQueue {
    /// Dead letters, those that died first before the others.
    ///
    /// - Parameter offset: how many are left out.
    package func deadLetters(offset: Int = 0, limit: Int = 100) async throws(JobError) -> [DeadLetter] {
        let reply = try await asking { () async throws(RedisError) in
            try await redis.send(["ZRANGE", JobKeys.dead(name), offset, offset + max(1, limit) - 1])
        }
        guard let ids = reply.array?.compactMap(\.text) else { throw .unexpectedReply }
        let letters = try await asking { () async throws(RedisError) in
            try await redis.send(ids.map { ["HMGET", JobKeys.deadLetter($0, of: name), "job", "name", "queue", "tries", "error", "died", "has"] })
        }
        return zip(ids, letters).compactMap { id, reply in
            guard let fields = reply.array, fields.count == 7, let job = fields[0].text, let queue = fields[2].text else { return nil }
            return DeadLetter(
                id: id, job: JobID(rawValue: job), name: fields[1].text.flatMap { $0.isEmpty ? nil : $0 }, queue: queue,
                tries: fields[3].text.flatMap(Int.init) ?? 0, lastError: fields[4].text ?? "",
                diedAt: Instant(milliseconds: fields[5].text.flatMap(Int64.init) ?? 0), hasBody: fields[6].text == "1")
        }
    }

    package func deadLetterCount() async throws(JobError) -> Int {
        try await asking { () async throws(RedisError) in try await redis.integer(["ZCARD", JobKeys.dead(name)]) }
    }

    /// Puts a dead letter's job back in its queue, with all its tries. What the job had committed in the database is known there, and is
    /// not done again.
    ///
    /// - Throws: `.noSuchLetter`; `.emptyLetter`; `.queuedAgain`, and the letter stays; what `enqueue` throws.
    package func replay(_ letter: String) async throws(JobError) {
        let key = JobKeys.deadLetter(letter, of: name)
        let reply = try await asking { () async throws(RedisError) in try await redis.send(["HMGET", key, "job", "queue"]) }
        guard let fields = reply.array, fields.count == 2, let job = fields[0].text, let queue = fields[1].text else {
            throw JobError(.noSuchLetter, "There is no such dead letter; it may have been replayed or dropped.")
        }
        let id = JobID(rawValue: job)
        let keys = [JobKeys.dead(name), key, JobKeys.body(id), JobKeys.result(id), JobKeys.retry(id), queue]
        switch try await number(JobScripts.replay, keys, [letter, job]) {
        case 1: return
        case 2: throw JobError(.emptyLetter, "The job's body had expired before it was run, so there is nothing to replay.")
        case 3: throw JobError(.queuedAgain, "A job of the same id is in the queue already.")
        default: throw JobError(.noSuchLetter, "There is no such dead letter; it may have been replayed or dropped.")
        }
    }

    /// Throws a dead letter away. Returns whether there was one.
    @discardableResult
    package func drop(_ letter: String) async throws(JobError) -> Bool {
        let replies = try await asking { () async throws(RedisError) in
            try await redis.transaction([
                ["DEL", JobKeys.deadLetter(letter, of: name)], ["ZREM", JobKeys.dead(name), letter],
            ])
        }
        return replies.contains { $0.integer == 1 }
    }
}
