import Foundation
import Jobs
import Logging
import Postgres
import Redis
import Synchronization
import TestSupport
import Testing
import Time

@Suite(.timeLimit(.minutes(5))) struct `A worker` {
    private struct Odd: Error { let secret = "alice@example.org" }

    @Test func `tries a job again with a delay, and buries it with its last error, without what it was about`() async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis)
            let attempts = Order()
            let job = Job<TestPayload>(
                "odd", retries: RetryPolicy(maximumTries: 3, delays: .milliseconds(10) ... .milliseconds(50)))
            let handler = JobHandler(job) { _, run in
                attempts.add("\(run.attempt)")
                throw Odd()
            }
            try await queue.enqueue(job, TestPayload(milliseconds: 7), id: "odd")

            let letter = try await working(JobWorker(queue, handlers: [handler], logger: quiet)) { () async throws in
                try await eventually { try await queue.deadLetters().first }
            }

            #expect(attempts.all == ["1", "2", "3"])
            #expect(letter.job == "odd" && letter.name == "odd" && letter.tries == 3 && letter.hasBody)
            #expect(letter.lastError == "Odd")
            // Nothing is left of it but the letter and its result.
            #expect(try await redis.integer(["ZCARD", "arq:queue"]) == 0)
            #expect(try await redis.exists(["arq:job:odd", "arq:retry:odd", "arq:in-progress:odd"]) == 0)
            #expect(try await queue.result(of: "odd")?.outcome == .failure(RemoteFailure(type: "Odd", message: "Odd")))

            // Replayed, it has all its tries again, and what it was about.
            let payloads = Order()
            let good = JobHandler(job) { payload, run in payloads.add("\(payload.milliseconds) \(run.attempt)") }
            try await queue.replay(letter.id)
            try await working(JobWorker(queue, handlers: [good], logger: quiet)) { () async throws in
                try await eventually { payloads.all == ["7 1"] }
            }
            #expect(try await queue.deadLetterCount() == 0)
            let error = await #expect(throws: JobError.self) { try await queue.replay(letter.id) }
            #expect(error?.code == .noSuchLetter)
        }
    }

    @Test func `begins no more runs of a kind than its rate says, whichever worker, and counts no try for the wait`() async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis)
            let job = Job<TestPayload>("paced", retries: .once, rate: JobRate(10, per: .seconds(2)))
            let begun = Mutex<[(id: JobID, attempt: Int, at: ContinuousClock.Instant)]>([])
            let handler = JobHandler(job) { _, run in begun.withLock { $0.append((run.id, run.attempt, .now)) } }
            for number in 0..<12 { try await queue.enqueue(job, TestPayload(), id: JobID(rawValue: "\(number)")) }

            let start = ContinuousClock.now
            try await working(JobWorker(queue, handlers: [handler], logger: quiet)) { () async throws in
                try await working(JobWorker(queue, handlers: [handler], logger: quiet)) { () async throws in
                    try await eventually { begun.withLock(\.count) == 12 }
                }
            }

            let runs = begun.withLock { $0 }
            #expect(Set(runs.map(\.id)).count == 12)
            #expect(runs.allSatisfy { $0.attempt == 1 })
            // Nobody is before their moment: the n-th has waited n times a fifth of a second.
            for (number, run) in runs.sorted(by: { $0.at < $1.at }).enumerated() {
                #expect(run.at - start >= .milliseconds(200) * number)
            }
            #expect(try await redis.exists((0..<12).map { "heartguard:jobs:moment:\($0)" }) == 0)
        }
    }

    @Test func `buries what cannot be read, what is too large, what had expired, and what nobody knows, and drops what it is told to`() async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis)
            // As arq's pickle does, as a body that expired does, and as an old job of a function that is gone.
            try await redis.set("arq:job:pickled", to: [0x80, 0x04, 0x95])
            try await redis.set("arq:job:old", to: #"{"t": null, "f": "gone", "a": [], "k": {}, "et": 1000}"#)
            try await redis.set("arq:job:large", to: String(repeating: "x", count: JobQueue.maximumForeignBodyBytes + 1))
            for id in ["pickled", "expired", "old", "large"] { _ = try await redis.send(["ZADD", "arq:queue", 1_000, id]) }

            let letters = try await working(JobWorker(queue, handlers: [], logger: quiet)) { () async throws in
                try await eventually {
                    let letters = try await queue.deadLetters()
                    return letters.count == 4 ? letters : nil
                }
            }

            let reasons = Dictionary(uniqueKeysWithValues: letters.map { ($0.job.rawValue, $0.lastError) })
            #expect(reasons["pickled"] == "The job is not in JSON; both sides have to be set to it (job_serializer).")
            #expect(reasons["expired"] == "The job had expired before it was run.")
            #expect(reasons["large"] == "The job's body is larger than 4 MiB.")
            #expect(reasons["old"] == "No worker knows a job of this name.")
            let expired = try #require(letters.first { $0.job == "expired" })
            let error = await #expect(throws: JobError.self) { try await queue.replay(expired.id) }
            #expect(error?.code == .emptyLetter)
            #expect(try await queue.drop(expired.id))
            #expect(try await !queue.drop(expired.id))
            #expect(try await queue.deadLetterCount() == 3)
        }
    }

    @Test func `cancels a run that takes longer than its timeout, and counts it`() async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis)
            let job = Job<Int?>("slow", retries: .once, timeout: .milliseconds(50))
            let handler = JobHandler(job) { _, _ in try await Task.sleep(for: .seconds(3_600)) }
            try await queue.enqueue(job, nil)

            let letter = try await working(JobWorker(queue, handlers: [handler], logger: quiet)) { () async throws in
                try await eventually { try await queue.deadLetters().first }
            }

            #expect(letter.lastError == "The run took longer than the job's timeout.")
        }
    }

    @Test func `lets go of a job whose handler heeds no timeout, and the next run does it`() async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis)
            let job = Job<Int?>("hangs", timeout: .milliseconds(50))
            let gate = Gate()
            let handler = JobHandler(job) { _, run in
                if run.attempt == 1 { await gate.pass() }
            }
            let worker = JobWorker(
                queue, handlers: [handler], configuration: JobWorkerConfiguration(lease: .milliseconds(600), stopTimeout: .milliseconds(20)),
                logger: quiet)
            let id = try await queue.enqueue(job, nil).id

            try await working(worker) { () async throws in
                let result = try await eventually { try await queue.result(of: id) }
                #expect(result.attempts >= 2)
                gate.open()
            }

            // Its end comes too late to be told.
            try await eventually { worker.statistics.running == 0 }
            #expect(worker.statistics.counts.done == 1)
            #expect(try await queue.deadLetterCount() == 0)
        }
    }

    @Test func `leaves a job that only a newer release knows to that, and takes no try for it`() async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis)
            try await queue.enqueue(Job<Int?>("new"), nil, id: "new")

            try await working(JobWorker(queue, handlers: [], logger: quiet)) { () async throws in
                try await eventually { try await redis.get("arq:retry:new") == Array("0".utf8) }
            }

            #expect(try await queue.deadLetterCount() == 0)
            #expect(try await redis.exists(["arq:job:new"]) == 1)
            #expect(try await queue.status(of: "new") == .deferred)
        }
    }

    @Test func `passes over thousands that others run, and finds what is behind them`() async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis)
            // As arq workers leave them at the head of the queue while they run.
            for batch in 0..<35 {
                _ = try await redis.send((0..<100).flatMap { number -> [RedisCommand] in
                    let id = "busy-\(batch)-\(number)"
                    return [["ZADD", "arq:queue", 1_000 + batch, id], ["SET", "arq:in-progress:\(id)", "1"]]
                })
            }
            let gate = Gate()
            let job = Job<Int?>("free")
            try await queue.enqueue(job, nil)

            try await working(JobWorker(queue, handlers: [JobHandler(job) { _, _ in gate.enter() }], logger: quiet)) { () async throws in
                await gate.waitForSomebody()
            }
            #expect(try await redis.integer(["ZCARD", "arq:queue"]) == 3_500)
        }
    }

    @Test func `that is killed is replaced within twice its lease`() async throws {
        try await withRedis { (redis, server) async throws in
            let queue = JobQueue(redis: redis)
            let first = try TestProcess.ours("worker", server, queue.name, .none)
            _ = await first.next("ready")
            try await queue.enqueue(Job<TestPayload>("sleep"), TestPayload(milliseconds: 600_000), id: "long")
            #expect(await first.next("began") == "long 1")
            // For longer than a lease it is kept by heartbeats.
            try await Task.sleep(for: .seconds(2))
            let second = try TestProcess.ours("worker", server, queue.name, .none)
            _ = await second.next("ready")
            #expect(try await redis.integer(["PTTL", "arq:in-progress:long"]) <= 1_500)

            let killed = ContinuousClock.now
            try await first.end(SIGKILL)
            #expect(await second.next("began") == "long 2")
            let took = killed.duration(to: .now)

            print("taken over after \(took) of a lease of 1.5 s")
            #expect(took < .seconds(3) + .seconds(5), "twice the lease, and what a busy machine may take")
        }
    }

    @Test func `that is stopped five times in a row burns no try, and the job is done by the last`() async throws {
        try await withRedis { (redis, server) async throws in
            let queue = JobQueue(redis: redis)
            try await queue.enqueue(Job<TestPayload>("sleep", retries: .once), TestPayload(milliseconds: 5_000), id: "job")
            try await queue.enqueue(Job<TestPayload>("sleep"), TestPayload(milliseconds: 100), id: "short")
            for _ in 0..<5 {
                let worker = try TestProcess.ours("worker", server, queue.name, .none)
                _ = await worker.next("ready")
                #expect(await worker.next("began job") == "1")
                try await worker.end(SIGTERM)

                // Given back at once: nobody waits for a lease.
                #expect(try await redis.get("arq:retry:job") == Array("0".utf8))
                #expect(try await redis.exists(["arq:in-progress:job"]) == 0)
            }
            // What ends within the time that is given for it is let end.
            #expect(try await queue.status(of: "short") == .ended)

            let last = try TestProcess.ours("worker", server, queue.name, .none)
            let result = try await eventually { try await queue.result(of: "job") }
            try await last.end(SIGTERM)
            #expect(result.attempts == 1)
            #expect(try await queue.deadLetterCount() == 0)
        }
    }

    @Test func `that is stopped gives back also what does not heed it and returns, and another shuts that out`() async throws {
        try await withRedis { (redis, _) async throws in
            try await withJobsDatabase { (postgres, _) async throws in
                let queue = JobQueue(redis: redis)
                let job = Job<Int?>("stubborn", retries: .once)
                let effects = JobEffects(postgres: postgres, table: "job_effects")
                let gate = Gate()
                let said = Order()
                let stubborn = JobHandler(job) { _, run in
                    await gate.pass()
                    // Of a task of its own, which nobody cancels.
                    let late = Task {
                        try await run.commit { try await $0.execute("INSERT INTO done (job, fence) VALUES ('first', \(run.fence))") }
                    }
                    do {
                        _ = try await late.value
                    } catch let error as JobError where error.code == .fenced {
                        said.add("fenced")
                    }
                }
                let willing = JobHandler(job) { _, run in
                    _ = try await run.commit { try await $0.execute("INSERT INTO done (job, fence) VALUES ('second', \(run.fence))") }
                }
                let id = try await queue.enqueue(job, nil, id: "job").id
                let first = JobWorker(
                    queue, handlers: [stubborn], effects: effects,
                    configuration: JobWorkerConfiguration(drainTimeout: .milliseconds(20), stopTimeout: .milliseconds(20)), logger: quiet)
                let running = Task { await first.run() }
                await gate.waitForSomebody()
                running.cancel()
                await running.value
                #expect(try await redis.get("arq:retry:job") == Array("0".utf8))

                try await working(JobWorker(queue, handlers: [willing], effects: effects, logger: quiet)) { () async throws in
                    try await eventually { try await queue.status(of: id) == .ended }
                }
                gate.open()

                try await eventually { said.all == ["fenced"] }
                let rows = try await postgres.rows("SELECT job FROM done", as: Scalar<String>.self).map(\.value)
                #expect(rows == ["second"])
                #expect(try await queue.result(of: id)?.attempts == 1)
                #expect(first.statistics.counts.givenBack == 1)
            }
        }
    }

    @Test func `that a job kills is a try, and such a job is buried`() async throws {
        try await withRedis { (redis, server) async throws in
            let queue = JobQueue(redis: redis)
            try await queue.enqueue(Job<TestPayload>("poison"), TestPayload(), id: "poison")
            for attempt in 1...2 {
                let worker = try TestProcess.ours("worker", server, queue.name, .none)
                #expect(await worker.next("began poison") == "\(attempt)")
                try await worker.ended()
            }
            let last = try TestProcess.ours("worker", server, queue.name, .none)

            try await eventually { try await queue.deadLetterCount() == 1 }
            try await last.end(SIGTERM)
            #expect(try await queue.deadLetters().first?.lastError == "The workers that ran the job ended before it did.")
        }
    }

    @Test func `that is paused past its lease commits nothing any more, and the effect is there once`() async throws {
        try await withRedis { (redis, server) async throws in
            try await withJobsDatabase { (postgres, configuration) async throws in
                let queue = JobQueue(redis: redis)
                let paused = try TestProcess.ours("worker", server, queue.name, configuration)
                _ = await paused.next("ready")
                try await queue.enqueue(Job<TestPayload>("effect"), TestPayload(milliseconds: 1_000), id: "job")
                #expect(await paused.next("began") == "job 1")

                paused.send(SIGSTOP)
                let other = try TestProcess.ours("worker", server, queue.name, configuration)
                // It has begun, and has not committed when the first goes on: its fence alone keeps the first out.
                #expect(await other.next("began") == "job 2")
                paused.send(SIGCONT)

                #expect(await paused.next("fenced") == "job")
                #expect(await other.next("committed") == "job")
                let rows = try await postgres.rows("SELECT count(*) FROM done", as: Scalar<Int64>.self).map(\.value)
                #expect(rows == [1])
                try await eventually { try await queue.status(of: "job") == .ended }
                #expect(try await queue.deadLetterCount() == 0)
                try await paused.end(SIGKILL)
                try await other.end(SIGKILL)
            }
        }
    }

    @Test func `that is killed between its commit and the word of it leaves the effect once`() async throws {
        try await withRedis { (redis, server) async throws in
            try await withJobsDatabase { (postgres, configuration) async throws in
                let queue = JobQueue(redis: redis)
                let first = try TestProcess.ours("worker", server, queue.name, configuration)
                _ = await first.next("ready")
                try await queue.enqueue(Job<TestPayload>("effect"), TestPayload(milliseconds: 300), id: "job")
                _ = await first.next("began")
                // Its word to Redis does not get there: Redis stands still while the database commits.
                try await server.suspend()
                #expect(await first.next("committed") == "job")
                try await first.end(SIGKILL)
                try await server.resume()

                let second = try TestProcess.ours("worker", server, queue.name, configuration)
                try await eventually { try await queue.status(of: "job") == .ended }
                let rows = try await postgres.rows("SELECT count(*) FROM done", as: Scalar<Int64>.self).map(\.value)
                #expect(rows == [1])
                // What had been written to the socket may still be read by Redis, or was before it stood still; then the first has ended the job.
                if try await queue.result(of: "job")?.attempts != 1 {
                    #expect(await second.next("began") == "job 2")
                    #expect(await second.next("before") == "job")
                }
                try await second.end(SIGKILL)
            }
        }
    }

    @Test(arguments: RedisServer.Loss.allCases)
    func `goes on when Redis was lost and is back`(way: RedisServer.Loss) async throws {
        try await withRedis { (_, server) async throws in
            let network = try await DroppingProxy(to: server.port)
            try await withClient(port: network.port, timeout: .seconds(2)) { (redis) async throws in
                let queue = JobQueue(redis: redis)
                let done = Order()
                let job = Job<Int>("count", resultLife: nil)
                let handler = JobHandler(job) { number, _ in done.add("\(number)") }
                try await working(JobWorker(queue, handlers: [handler], logger: quiet)) { () async throws in
                    try await eventually { (try? await queue.enqueue(job, 1, id: "one")) != nil }
                    try await eventually { done.all.contains("1") }
                    try await server.lose(way, network: network)
                    await #expect(throws: JobError.self) { try await queue.enqueue(job, 2, id: "lost") }
                    try await server.comeBack(from: way, network: network)
                    try await eventually { (try? await queue.enqueue(job, 3, id: "three")) != nil }
                    try await eventually { done.all.contains("3") }
                }
            }
            try await network.close()
        }
    }

    @Test func `takes no job by a look that Redis reads when nobody waits for it any more`() async throws {
        try await withRedis { (redis, server) async throws in
            let queue = JobQueue(redis: redis)
            let done = Order()
            let job = Job<Int>("count", retries: .once, resultLife: nil)
            let handler = JobHandler(job) { number, _ in done.add("\(number)") }
            try await working(JobWorker(queue, handlers: [handler], logger: quiet)) { () async throws in
                try await queue.enqueue(job, 1)
                try await eventually { done.all == ["1"] }
                try await queue.enqueue(job, 2, due: .now() + .seconds(2))
                try await server.suspend()
                // Longer than a look takes at most, and than the job has to wait.
                try await Task.sleep(for: .seconds(5))
                try await server.resume()
                try await eventually { () async throws -> Bool in
                    let letters = try await queue.deadLetters()
                    return done.all.count == 2 || !letters.isEmpty
                }

                #expect(done.all == ["1", "2"])
                #expect(try await queue.deadLetters().isEmpty)
            }
        }
    }

    @Test(arguments: ["-inf", "-1e300"])
    func `counts a job that another program has put at a moment that no clock shows`(score: String) async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis, name: "arq:queue:test")
            _ = try await redis.send(["ZADD", "arq:queue:test", score, "foreign"])

            let lines = try await queue.lines()

            #expect(lines.lines.map(\.due) == [0, 1, 0])
            #expect(lines.lines.allSatisfy { $0.oldestAge == .zero })
        }
    }

    @Test func `tells operators of the queue and arq of its health`() async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis, name: "arq:queue:test")
            try await queue.enqueue(Job<Int?>("later"), nil, due: .now() + .seconds(3_600))
            try await queue.enqueue(Job<Int?>("unknown", priority: .low), nil)

            let lines = try await queue.lines()
            #expect(lines.lines.map(\.depth) == [0, 1, 1])
            #expect(lines.lines.map(\.due) == [0, 0, 1])
            #expect(lines.deadLetters == 0)
            let worker = JobWorker(queue, handlers: [], logger: quiet)
            try await working(worker) { () async throws in
                let health = try await eventually { try await redis.get("arq:queue:test:health-check") }
                #expect(String(decoding: health, as: UTF8.self).contains("j_complete=0 j_failed=0 j_retried=0"))
                try await eventually { worker.statistics.lines.lines.map(\.depth) == [0, 1, 1] }
            }
        }
    }
}
