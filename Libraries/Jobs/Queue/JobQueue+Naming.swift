package import FoundationEssentials
internal import Redis
internal import Time

extension JobQueue {
    /// Takes out the jobs that wait, and the dead letters, whose payload names this id. A job that runs is left to itself: its handler finds
    /// that what it is about is not there any more. Costs a look at every body of the queue.
    ///
    /// - Parameter spared: jobs whose payload names this id too stay.
    /// - Returns: how many jobs and letters there were.
    @discardableResult
    package func forget(naming id: UUID, sparing spared: UUID? = nil) async throws(JobError) -> Int {
        func isMeant(_ body: RESPValue) -> Bool {
            Self.names(id, body) && !(spared.map { Self.names($0, body) } ?? false)
        }
        var count = 0
        for queue in JobPriority.allCases.map({ $0.queue(self.name) }) {
            for part in try await members(of: queue) {
                let bodies = try await replies(part.map { ["GET", JobKeys.body(JobID(rawValue: $0))] })
                for (job, body) in zip(part, bodies) where isMeant(body) {
                    let id = JobID(rawValue: job)
                    count += try await number(
                        JobScripts.forget, [queue, JobKeys.body(id), JobKeys.inProgress(id), JobKeys.retry(id), JobKeys.abort], [job])
                }
            }
        }
        for part in try await members(of: JobKeys.dead(self.name)) {
            let bodies = try await replies(part.map { ["HGET", JobKeys.deadLetter($0, of: self.name), "body"] })
            for (letter, body) in zip(part, bodies) where isMeant(body) {
                if try await drop(letter) { count += 1 }
            }
        }
        return count
    }

    /// The members of a sorted set, about a thousand at a time. None that is there all the time is passed over, whatever moves meanwhile; by
    /// rank, each that left the head would have one behind it passed over.
    private func members(of set: String) async throws(JobError) -> [[String]] {
        var parts: [[String]] = []
        var cursor = "0"
        repeat {
            let command: RedisCommand = ["ZSCAN", set, cursor, "COUNT", 1_000]
            let reply = try await asking { () async throws(RedisError) in try await redis.send(command) }
            guard let answer = reply.array, answer.count == 2, let next = answer[0].text, let pairs = answer[1].array else {
                throw .unexpectedReply
            }
            // Each member has its score behind it.
            parts.append(stride(from: 0, to: pairs.count, by: 2).compactMap { pairs[$0].text })
            cursor = next
        } while cursor != "0"
        return parts
    }

    private func replies(_ commands: [RedisCommand]) async throws(JobError) -> [RESPValue] {
        guard !commands.isEmpty else { return [] }
        return try await asking { () async throws(RedisError) in try await redis.send(commands) }
    }

    /// Ids are written in either case.
    private static func names(_ id: UUID, _ body: RESPValue) -> Bool {
        let lowercased = (body.bytes ?? []).map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 + 32 : $0 }
        return lowercased.firstRange(of: Array(id.text.utf8)) != nil
    }
}
