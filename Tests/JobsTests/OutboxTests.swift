import Foundation
import Jobs
import Postgres
import Redis
import TestSupport
import Testing
import Time

@Suite(.timeLimit(.minutes(5))) struct `An outbox` {
    private struct Note: Codable, Sendable { var number: Int }
    private static let job = Job<Note>("note", resultLife: nil)

    private func add(_ numbers: Range<Int>, to outbox: Outbox, _ postgres: Postgres) async throws -> [UUID] {
        var ids: [UUID] = []
        try await postgres.transaction { transaction in
            for number in numbers {
                let event = try OutboxEvent(Self.job, Note(number: number), about: UUIDv7.make())
                try await outbox.add(event, in: transaction)
                ids.append(event.id)
            }
        }
        return ids
    }

    @Test func `enqueues what was committed, and nothing that was not`() async throws {
        try await withRedis { (redis, _) async throws in
            try await withJobsDatabase { (postgres, _) async throws in
                let queue = JobQueue(redis: redis)
                let outbox = Outbox(postgres: postgres, table: "outbox")
                let relay = OutboxRelay(outbox, to: queue, logger: quiet)
                await #expect(throws: CancellationError.self) {
                    try await postgres.transaction { transaction in
                        try await outbox.add(try OutboxEvent(Self.job, Note(number: 1), about: UUIDv7.make()), in: transaction)
                        throw CancellationError()
                    }
                }
                #expect(try await relay.relay(limit: 10) == 0)

                let ids = try await add(0..<3, to: outbox, postgres)
                #expect(try await outbox.backlog().waiting == 3)
                #expect(try await relay.relay(limit: 10) == 3)
                #expect(try await relay.relay(limit: 10) == 0)

                #expect(try await redis.integer(["ZCARD", "arq:queue"]) == 3)
                #expect(try await queue.status(of: JobID(rawValue: ids[0].uuidString.lowercased())) == .queued)
                #expect(try await outbox.backlog().waiting == 0)
            }
        }
    }

    @Test(arguments: ["locked", "told", "marked", "committed"])
    func `loses and repeats nothing when its relay is killed`(step: String) async throws {
        try await withRedis { (redis, server) async throws in
            try await withJobsDatabase { (postgres, configuration) async throws in
                let queue = JobQueue(redis: redis)
                let outbox = Outbox(postgres: postgres, table: "outbox")
                let ids = Set(try await add(0..<25, to: outbox, postgres).map { $0.uuidString.lowercased() })
                let ran = Order()
                // Jobs end, and leave no result, while their rows are told again.
                let worker = JobWorker(queue, handlers: [JobHandler(Self.job) { _, run in ran.add(run.id.rawValue) }], logger: quiet)

                try await working(worker) { () async throws in
                    for count in 1...3 {
                        let relay = try TestProcess.ours("relay", server, queue.name, configuration, [step, "\(count)"])
                        _ = await relay.next("ready")
                        try await relay.ended()
                        try await eventually { try await redis.integer(["ZCARD", queue.name]) == 0 }
                    }
                    // The session of one that was killed may keep its rows for a moment.
                    repeat {
                        let last = try TestProcess.ours("relay", server, queue.name, configuration)
                        #expect(await last.next("told all") != nil)
                    } while try await outbox.backlog().waiting > 0
                    try await eventually { try await redis.integer(["ZCARD", queue.name]) == 0 }
                }

                #expect(ran.all.count == 25)
                #expect(Set(ran.all) == ids)
                #expect(try await outbox.backlog().waiting == 0)
            }
        }
    }

    @Test func `is told once by relays that work at the same time`() async throws {
        try await withRedis { (redis, _) async throws in
            try await withJobsDatabase { (postgres, _) async throws in
                let queue = JobQueue(redis: redis)
                let outbox = Outbox(postgres: postgres, table: "outbox")
                _ = try await add(0..<60, to: outbox, postgres)

                let told = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            let relay = OutboxRelay(outbox, to: queue, logger: quiet)
                            var told = 0
                            while case let count = try await relay.relay(limit: 7), count > 0 { told += count }
                            return told
                        }
                    }
                    return try await group.reduce(0, +)
                }

                #expect(told == 60)
                #expect(try await redis.integer(["ZCARD", queue.name]) == 60)
            }
        }
    }

    @Test func `keeps its rows while Redis is full or away, and puts off what can be no job`() async throws {
        try await withRedis { redis, server in
            try await withJobsDatabase { (postgres, _) async throws in
                let queue = JobQueue(redis: redis)
                let outbox = Outbox(postgres: postgres, table: "outbox")
                let relay = OutboxRelay(outbox, to: queue, logger: quiet)
                _ = try await add(0..<2, to: outbox, postgres)
                try await postgres.execute(
                    """
                    INSERT INTO outbox (id, topic, aggregate_id, payload, available_at)
                    VALUES (gen_random_uuid(), 'large', gen_random_uuid(), jsonb_build_object('a', repeat('x', 1100000)), '2020-01-01')
                    """)
                _ = try await redis.send(["CONFIG", "SET", "maxmemory", "1"])

                let error = await #expect(throws: JobError.self) { try await relay.relay(limit: 10) }
                #expect(error?.code == .full)
                #expect(try await redis.integer(["ZCARD", queue.name]) == 0)
                _ = try await redis.send(["CONFIG", "SET", "maxmemory", "0"])
                #expect(try await relay.relay(limit: 10) == 2)

                #expect(try await redis.integer(["ZCARD", queue.name]) == 2)
                let refused = try await postgres.rows(
                    "SELECT last_error FROM outbox WHERE published_at IS NULL AND available_at > now() - interval '1 minute' AND attempts > 0",
                    as: Scalar<String>.self).map(\.value)
                #expect(refused == ["The payload of the job is larger than 1 MiB; name what it is about by an id."])
                try await server.kill()
                await #expect(throws: JobError.self) { try await relay.relay(limit: 10) }
            }
        }
    }

    @Test func `refuses a relay that was stopped for long and goes on`() async throws {
        try await withRedis { (redis, server) async throws in
            try await withJobsDatabase { (postgres, configuration) async throws in
                let queue = JobQueue(redis: redis)
                let outbox = Outbox(postgres: postgres, table: "outbox")
                _ = try await add(0..<1, to: outbox, postgres)
                let relay = OutboxRelay(outbox, to: queue, logger: quiet)
                // As if more than the patience had passed between reading the row and telling it.
                let error = await #expect(throws: JobError.self) {
                    try await relay.relay(limit: 10, reading: Instant.now() - .seconds(3_600))
                }
                #expect(error?.code == .unavailable)
                #expect(try await redis.integer(["ZCARD", queue.name]) == 0)
                #expect(try await relay.relay(limit: 10) == 1)
            }
        }
    }

    @Test func `forgets what was told long ago`() async throws {
        try await withJobsDatabase { (postgres, _) async throws in
            let outbox = Outbox(postgres: postgres, table: "outbox")
            let ids = try await add(0..<3, to: outbox, postgres)
            try await postgres.execute("UPDATE outbox SET published_at = now() - interval '8 days' WHERE id = \(ids[0])")
            try await postgres.execute("UPDATE outbox SET published_at = now() WHERE id = \(ids[1])")

            try await outbox.forget(before: .now() - .seconds(7 * 86_400))

            let left = try await postgres.rows("SELECT id FROM outbox ORDER BY id", as: Scalar<UUID>.self).map(\.value)
            #expect(left == [ids[1], ids[2]])
        }
    }
}
