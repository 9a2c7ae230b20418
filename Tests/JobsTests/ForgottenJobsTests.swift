import Foundation
import Jobs
import Redis
import TestSupport
import Testing
import Time

@Suite(.timeLimit(.minutes(3))) struct `Jobs that name a person` {
    private struct Notice: Codable, Sendable {
        var user: UUID
        var about: UUID
    }

    @Test func `are forgotten wherever they wait, and dead letters with them; what names others stays`() async throws {
        try await withRedis { redis, _ in
            let queue = JobQueue(redis: redis)
            let (ada, bob, spared) = (UUID(), UUID(), UUID())
            let job = Job<Notice>("note", retries: .once)
            var urgent = job
            urgent.priority = .high
            try await queue.enqueue(job, Notice(user: ada, about: UUID()), id: "dies")
            let failing = JobWorker(queue, handlers: [JobHandler(job) { _, _ in throw JobFailure.permanent("No.") }], logger: quiet)
            try await working(failing) { try await eventually { try await queue.deadLetterCount() == 1 } }
            for number in 0..<1_500 { try await queue.enqueue(job, Notice(user: bob, about: UUID()), id: JobID(rawValue: "bob \(number)")) }
            try await queue.enqueue(job, Notice(user: ada, about: UUID()), id: "waits")
            try await queue.enqueue(urgent, Notice(user: ada, about: UUID()), id: "urgent")
            try await queue.enqueue(job, Notice(user: ada, about: UUID()), id: "deferred", due: .now() + .seconds(3_600))
            try await queue.enqueue(job, Notice(user: ada, about: spared), id: "spared")

            #expect(try await queue.forget(naming: ada, sparing: spared) == 4)

            for id in ["waits", "urgent", "deferred"] as [JobID] {
                #expect(try await queue.status(of: id) == .unknown)
                #expect(try await redis.exists(["arq:job:\(id)"]) == 0)
            }
            #expect(try await queue.status(of: "spared") == .queued)
            #expect(try await queue.deadLetterCount() == 0)
            #expect(try await redis.integer(["ZCARD", "arq:queue"]) == 1_501)
            #expect(try await queue.forget(naming: ada, sparing: spared) == 0)
        }
    }

    @Test func `are forgotten also while those before them are put off`() async throws {
        try await withRedis { redis, _ in
            let queue = JobQueue(redis: redis)
            let ada = UUID()
            let job = Job<Notice>("note")
            for number in 0..<3_000 { try await queue.enqueue(job, Notice(user: ada, about: UUID()), id: JobID(rawValue: "\(number)")) }
            let later = Instant.now() + .seconds(3_600)
            let puttingOff = Task {
                for number in 0..<3_000 where !Task.isCancelled {
                    try await redis.send(["ZADD", "arq:queue", "XX", later.microsecondsSinceEpoch / 1_000, "\(number)"])
                }
            }
            defer { puttingOff.cancel() }

            #expect(try await queue.forget(naming: ada) == 3_000)

            #expect(try await redis.integer(["ZCARD", "arq:queue"]) == 0)
        }
    }

    @Test func `are left to their handlers while they run`() async throws {
        try await withRedis { redis, _ in
            let queue = JobQueue(redis: redis)
            let ada = UUID()
            let job = Job<Notice>("note", resultLife: nil)
            let (gate, started) = (Gate(), Gate())
            let handler = JobHandler(job) { _, _ in
                started.enter()
                while gate.entered == 0 { try await Task.sleep(for: .milliseconds(5)) }
            }
            let worker = JobWorker(queue, handlers: [handler], logger: quiet)
            try await working(worker) {
                let id = try await queue.enqueue(job, Notice(user: ada, about: UUID())).id
                try await eventually { started.entered == 1 }

                #expect(try await queue.forget(naming: ada) == 0)

                #expect(try await queue.status(of: id) == .running)
                gate.enter()
                try await eventually { try await queue.status(of: id) == .unknown }
            }
        }
    }
}
