import Foundation
import Jobs
import Postgres
import Redis
import TestSupport
import Testing
import Time

/// Against `arq` as it comes from PyPI, set to JSON.
@Suite(.timeLimit(.minutes(5))) struct `arq` {
    struct Sum: Codable, Sendable { var values: [Int] }
    struct Person: Codable, Sendable { var name: String, tags: [String] }
    struct Described: Codable, Sendable, Hashable { var name: String, count: Int }

    @Test func `runs what was enqueued here, and its results and exceptions are read here`() async throws {
        try await withRedis { (redis, server) async throws in
            let queue = JobQueue(redis: redis)
            let arq = try TestProcess.python("arq_worker.py", ["\(server.port)", queue.name])
            let added = try await queue.enqueue(Job<[Int]>("add"), [20, 22]).id
            let described = try await queue.enqueue(Job<Person>("describe"), Person(name: "Ada", tags: ["a", "b"])).id
            let failed = try await queue.enqueue(Job<Int?>("fail"), nil).id
            let repeated = try await queue.enqueue(Job<Int?>("second_time"), nil, due: .now() + .milliseconds(50)).id

            let sum = try await eventually { try await queue.result(of: added) }
            let description = try await eventually { try await queue.result(of: described) }
            let failure = try await eventually { try await queue.result(of: failed) }
            let second = try await eventually { try await queue.result(of: repeated) }

            #expect(try sum.value(as: Int.self) == 42)
            #expect(sum.job == "add" && sum.attempts == 1 && sum.startedAt <= sum.finishedAt)
            #expect(try description.value(as: Described.self) == Described(name: "Ada", count: 2))
            #expect(failure.outcome == .failure(RemoteFailure(type: "ValueError", message: "no such reading")))
            #expect(try second.value(as: Int.self) == 2)
            #expect(try await queue.status(of: added) == .ended)
            #expect(try await queue.status(of: "none") == .unknown)
            // The name is taken while there is a result, as it is for arq.
            #expect(try await queue.enqueue(Job<[Int]>("add"), [1, 2], id: added) == .alreadyThere(added))
            try await arq.end(SIGTERM)
        }
    }

    @Test func `enqueues what is run here, and reads results and errors of here`() async throws {
        try await withRedis { (redis, server) async throws in
            let queue = JobQueue(redis: redis)
            let client = try await ArqClient(server, queue)
            let worker = JobWorker(
                queue,
                handlers: [
                    JobHandler(Job<[Int]>("add"), returning: { numbers, run in Described(name: "\(run.attempt)", count: numbers.reduce(0, +)) }),
                    JobHandler(Job<Person>("describe"), returning: { person, _ in Described(name: person.name, count: person.tags.count) }),
                    JobHandler(Job<Int?>("fail", retries: .once)) { _, _ in throw JobFailure.permanent("It cannot be done.") },
                ],
                logger: quiet)

            try await working(worker) { () async throws in
                _ = try await client.ask(#"{"do": "enqueue", "function": "add", "args": [20, 22], "id": "sum", "try": 3}"#)
                _ = try await client.ask(
                    #"{"do": "enqueue", "function": "describe", "kwargs": {"name": "Ada", "tags": ["a"]}, "id": "who", "defer": 0.3}"#)
                _ = try await client.ask(#"{"do": "enqueue", "function": "fail", "id": "bad"}"#)

                #expect(try await client.ask(#"{"do": "result", "id": "sum"}"#) == #"{"result": {"count": 42, "name": "3"}}"#)
                #expect(try await client.ask(#"{"do": "result", "id": "who"}"#) == #"{"result": {"count": 1, "name": "Ada"}}"#)
                #expect(
                    try await client.ask(#"{"do": "result", "id": "bad"}"#)
                        == #"{"raised": "JobFailed", "kind": "JobFailure", "message": "It cannot be done."}"#)
                #expect(try await client.ask(#"{"do": "status", "id": "sum"}"#) == #""complete""#)
                // Twice under one name it takes from neither side.
                #expect(try await client.ask(#"{"do": "enqueue", "function": "add", "args": [1], "id": "sum"}"#) == "null")
            }
            #expect(try await queue.deadLetters().map(\.job) == ["bad"])
        }
    }

    @Test func `sees jobs of here as its own: waiting, running, ended`() async throws {
        try await withRedis { (redis, server) async throws in
            let queue = JobQueue(redis: redis)
            let client = try await ArqClient(server, queue)
            let gate = Gate()
            let worker = JobWorker(
                queue, handlers: [JobHandler(Job<Int?>("wait")) { _, _ in await gate.pass() }],
                configuration: JobWorkerConfiguration(lease: .seconds(2)), logger: quiet)
            let id = try await queue.enqueue(Job<Int?>("wait"), nil, id: "w").id
            _ = try await queue.enqueue(Job<Int?>("wait"), nil, id: "later", due: .now() + .seconds(3_600))

            #expect(try await client.ask(#"{"do": "status", "id": "w"}"#) == #""queued""#)
            #expect(try await client.ask(#"{"do": "status", "id": "later"}"#) == #""deferred""#)
            try await working(worker) { () async throws in
                await gate.waitForSomebody()
                #expect(try await client.ask(#"{"do": "status", "id": "w"}"#) == #""in_progress""#)
                // An arq worker leaves it alone for as long as it runs, longer than a lease.
                let arq = try TestProcess.python("arq_worker.py", ["\(server.port)", queue.name])
                _ = await arq.next("ready")
                try await Task.sleep(for: .seconds(3))
                #expect(try await queue.result(of: id) == nil)
                try await arq.end(SIGTERM)
                gate.open()
                try await eventually { try await queue.status(of: id) == .ended }
            }
            #expect(try await client.ask(#"{"do": "status", "id": "w"}"#) == #""complete""#)
        }
    }

    @Test func `takes up within seconds what a killed worker of here leaves, and the other way round`() async throws {
        try await withRedis { (redis, server) async throws in
            let queue = JobQueue(redis: redis)
            let database = PostgresConfiguration.none
            let ours = try TestProcess.ours("worker", server, queue.name, database)
            _ = await ours.next("ready")
            try await queue.enqueue(Job<TestPayload>("sleep"), TestPayload(milliseconds: 60_000), id: "long")
            #expect(await ours.next("began") == "long 1")
            let arq = try TestProcess.python("arq_worker.py", ["\(server.port)", queue.name])
            _ = await arq.next("ready")

            let killed = ContinuousClock.now
            try await ours.end(SIGKILL)

            #expect(await arq.next("began") == "long 2")
            // Twice the lease of the test's program, and the time that a busy machine may take.
            #expect(killed.duration(to: .now) < .seconds(3) + .seconds(10))
            try await arq.end(SIGKILL)
            #expect(try await redis.integer(["PTTL", "arq:in-progress:long"]) > 100_000)
        }
    }

    @Test func `aborts a job that runs here`() async throws {
        try await withRedis { (redis, server) async throws in
            let queue = JobQueue(redis: redis)
            let client = try await ArqClient(server, queue)
            let gate = Gate()
            let worker = JobWorker(
                queue,
                handlers: [
                    JobHandler(Job<Int?>("sleep")) { _, _ in
                        gate.enter()
                        try await Task.sleep(for: .seconds(3_600))
                    }
                ],
                configuration: JobWorkerConfiguration(lease: .seconds(2)), logger: quiet)
            try await queue.enqueue(Job<Int?>("sleep"), nil, id: "running")
            try await queue.enqueue(Job<Int?>("sleep"), nil, id: "later", due: .now() + .seconds(3_600))

            try await working(worker) { () async throws in
                await gate.waitForSomebody()
                #expect(try await client.ask(#"{"do": "abort", "id": "running"}"#) == "true")
                #expect(try await client.ask(#"{"do": "abort", "id": "later"}"#) == "true")
            }
            #expect(worker.statistics.counts.aborted == 2)
            #expect(try await redis.integer(["DBSIZE"]) == 4)
        }
    }
}

/// arq's client in a process, which answers a line with a line.
final class ArqClient: Sendable {
    private let process: TestProcess

    init(_ server: RedisServer, _ queue: JobQueue) async throws {
        process = try TestProcess.python("arq_client.py", ["\(server.port)", queue.name])
        _ = await process.next("ready")
    }

    func ask(_ question: String) async throws -> String? {
        try process.tell(question)
        return await process.next("answer")
    }
}
