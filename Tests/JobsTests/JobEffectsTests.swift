import Jobs
import Postgres
import Redis
import TestSupport
import Testing
import Time

@Suite(.timeLimit(.minutes(3))) struct `An effect` {
    @Test func `is committed once, however often the job fails afterwards`() async throws {
        try await withRedis { (redis, _) async throws in
            try await withJobsDatabase { (postgres, _) async throws in
                let queue = JobQueue(redis: redis)
                let order = Order()
                let job = Job<Int?>("pay", retries: RetryPolicy(maximumTries: 3, delays: .milliseconds(5) ... .milliseconds(10)))
                let handler = JobHandler(job) { _, run in
                    let effect = try await run.commit { transaction in
                        try await transaction.execute("INSERT INTO done (job, fence) VALUES (\(run.id.rawValue), \(run.fence))")
                    }
                    switch effect {
                    case .committed: order.add("committed")
                    case .committedBefore: order.add("before")
                    }
                    if run.attempt < 3 { throw JobFailure.temporary("The word of it was lost.", retryAfter: .milliseconds(5)) }
                }
                let worker = JobWorker(
                    queue, handlers: [handler], effects: JobEffects(postgres: postgres, table: "job_effects"), logger: quiet)
                let id = try await queue.enqueue(job, nil).id

                try await working(worker) { _ = try await eventually { try await queue.result(of: id) } }

                #expect(order.all == ["committed", "before", "before"])
                let rows = try await postgres.rows("SELECT count(*) FROM done", as: Scalar<Int64>.self).map(\.value)
                #expect(rows == [1])
            }
        }
    }

    @Test func `that fails leaves nothing behind, and is done by the next run`() async throws {
        try await withRedis { (redis, _) async throws in
            try await withJobsDatabase { (postgres, _) async throws in
                let queue = JobQueue(redis: redis)
                let job = Job<Int?>("pay", retries: RetryPolicy(maximumTries: 2, delays: .milliseconds(5) ... .milliseconds(10)))
                let handler = JobHandler(job) { _, run in
                    _ = try await run.commit { transaction in
                        try await transaction.execute("INSERT INTO done (job, fence) VALUES ('a', \(run.fence))")
                        if run.attempt == 1 { throw JobFailure.temporary("Not yet.") }
                    }
                }
                let worker = JobWorker(
                    queue, handlers: [handler], effects: JobEffects(postgres: postgres, table: "job_effects"), logger: quiet)
                let id = try await queue.enqueue(job, nil).id

                let result = try await working(worker) { try await eventually { try await queue.result(of: id) } }

                #expect(result.attempts == 2)
                let rows = try await postgres.rows("SELECT count(*) FROM done", as: Scalar<Int64>.self).map(\.value)
                #expect(rows == [1])
            }
        }
    }

    @Test func `of each job under one unique key is its own`() async throws {
        try await withRedis { (redis, _) async throws in
            try await withJobsDatabase { (postgres, _) async throws in
                let queue = JobQueue(redis: redis)
                let job = Job<Int?>("pay", resultLife: nil, uniqueKey: { _ in "one" })
                let handler = JobHandler(job) { _, run in
                    _ = try await run.commit { try await $0.execute("INSERT INTO done (job, fence) VALUES ('a', \(run.fence))") }
                }
                let worker = JobWorker(
                    queue, handlers: [handler], effects: JobEffects(postgres: postgres, table: "job_effects"), logger: quiet)

                try await working(worker) { () async throws in
                    for _ in 0..<3 {
                        let id = try await queue.enqueue(job, nil).id
                        try await eventually { try await queue.status(of: id) == .unknown }
                    }
                }

                let fences = try await postgres.rows("SELECT fence FROM done", as: Scalar<Int64>.self).map(\.value)
                #expect(fences.count == 3 && fences == fences.sorted())
            }
        }
    }

    @Test func `is forgotten when it is older than any job`() async throws {
        try await withJobsDatabase { (postgres, _) async throws in
            try await postgres.execute(
                "INSERT INTO job_effects (instance, fence, updated_at) SELECT n::text, 1, now() - n * interval '1 hour' FROM generate_series(1, 2500) AS n")

            try await JobEffects(postgres: postgres, table: "job_effects").forget(before: .now() - .seconds(30 * 3_600 + 60))

            let rows = try await postgres.rows("SELECT count(*) FROM job_effects", as: Scalar<Int64>.self).map(\.value)
            #expect(rows == [30])
        }
    }
}
