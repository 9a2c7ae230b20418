import Jobs
import Redis
import TestSupport
import Testing
import Time

@Suite(.timeLimit(.minutes(3))) struct `A job queue` {
    @Test func `takes a job once by its id, and never lets a body or an id end before the job does`() async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis)
            let job = Job<TestPayload>("sleep")

            #expect(try await queue.enqueue(job, TestPayload(), id: "a") == .added("a"))
            #expect(try await queue.enqueue(job, TestPayload(), id: "a") == .alreadyThere("a"))
            #expect(try await queue.enqueue(job, TestPayload(), id: "b", due: .now() + .seconds(86_400 * 30)) == .added("b"))

            #expect(try await redis.integer(["PTTL", "arq:job:a"]) == -1)
            #expect(try await redis.integer(["PTTL", "arq:job:b"]) == -1)
            #expect(try await redis.integer(["ZCARD", "arq:queue"]) == 2)
            #expect(try await queue.status(of: "a") == .queued)
            #expect(try await queue.status(of: "b") == .deferred)
        }
    }

    @Test func `that is full says so, keeps all that it has, and is emptied by its workers`() async throws {
        try await withRedis(flags: ["--maxmemory", "4mb"]) { redis, _ in
            let queue = JobQueue(redis: redis)
            let job = Job<String>("note", resultLife: nil)
            let payload = String(repeating: "x", count: 20_000)
            var taken: [JobID] = []

            let error = await #expect(throws: JobError.self) {
                while true { taken.append(try await queue.enqueue(job, payload).id) }
            }
            #expect(error?.code == .full)
            #expect(!taken.isEmpty)
            let kept = try await redis.exists(taken.map { "arq:job:\($0)" })
            #expect(kept == taken.count)
            #expect(try await redis.integer(["ZCARD", "arq:queue"]) == taken.count)

            let gate = Gate()
            let worker = JobWorker(queue, handlers: [JobHandler(job) { _, _ in gate.enter() }], logger: quiet)
            let all = taken.count
            try await working(worker) { () async throws in
                try await eventually { try await redis.integer(["ZCARD", "arq:queue"]) == 0 }
            }
            #expect(gate.entered == all)
            _ = try await queue.enqueue(job, payload)
        }
    }

    @Test func `keeps its jobs when Redis is killed`() async throws {
        try await withRedis { (redis, server) async throws in
            let queue = JobQueue(redis: redis)
            for number in 0..<50 { try await queue.enqueue(Job<Int>("count"), number) }

            try await server.kill()
            let error = await #expect(throws: JobError.self) { try await queue.enqueue(Job<Int>("count"), 50) }
            #expect(error?.code == .unavailable || error?.code == .outcomeUnknown)
            try await server.launch()

            try await eventually { (try? await redis.integer(["ZCARD", "arq:queue"])) == 50 }
        }
    }

    @Test func `frees a unique key the moment its job has ended, and not before`() async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis)
            let job = Job<TestPayload>("refresh", uniqueKey: { _ in "statistics" })
            let gate = Gate()
            let worker = JobWorker(queue, handlers: [JobHandler(job) { _, _ in await gate.pass() }], logger: quiet)

            #expect(try await queue.enqueue(job, TestPayload()) == .added("refresh:statistics"))
            #expect(try await queue.enqueue(job, TestPayload()) == .alreadyThere("refresh:statistics"))
            try await working(worker) { () async throws in
                await gate.waitForSomebody()
                #expect(try await queue.enqueue(job, TestPayload()) == .alreadyThere("refresh:statistics"))
                gate.open()
                _ = try await eventually { try await queue.result(of: "refresh:statistics") }
                // Its result is kept and is in nobody's way.
                #expect(try await queue.enqueue(job, TestPayload()) == .added("refresh:statistics"))
                await gate.waitForSomebody(2)
            }
        }
    }

    @Test func `refuses what is too large or no JSON`() async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis)
            let large = await #expect(throws: JobError.self) {
                try await queue.enqueue(Job<String>("note"), String(repeating: "x", count: JobQueue.maximumBodyBytes))
            }
            let odd = await #expect(throws: JobError.self) { try await queue.enqueue(Job<Double>("note"), .nan) }

            #expect(large?.code == .invalidPayload)
            #expect(odd?.code == .invalidPayload)
            #expect(try await redis.integer(["DBSIZE"]) == 0)
        }
    }

    @Test func `runs what is urgent first, and lets nothing wait for ever`() async throws {
        try await withRedis { (redis, _) async throws in
            let queue = JobQueue(redis: redis)
            let order = Order()
            func job(_ priority: JobPriority) -> Job<Int> { Job("\(priority)", priority: priority, resultLife: nil) }
            for _ in 0..<3 { try await queue.enqueue(job(.low), 0) }
            for _ in 0..<3 { try await queue.enqueue(job(.normal), 0) }
            for _ in 0..<14 { try await queue.enqueue(job(.high), 0) }
            let worker = JobWorker(
                queue, handlers: JobPriority.allCases.map { priority in JobHandler(job(priority)) { _, _ in order.add("\(priority)") } },
                configuration: JobWorkerConfiguration(concurrency: 1), logger: quiet)

            try await working(worker) { try await eventually { order.all.count == 20 } }

            #expect(Array(order.all.prefix(7)) == Array(repeating: "high", count: 7))
            // The eighth look begins with the low ones.
            #expect(order.all[7] == "low")
            #expect(order.all.filter { $0 == "normal" }.count == 3)
        }
    }
}
