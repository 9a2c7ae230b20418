import Foundation
import Jobs
import Postgres
import Redis
import Testing
import Time

/// The code of docs/libraries/Jobs.md.
@Suite(.timeLimit(.minutes(2))) struct `The page about Jobs` {
    struct Reminder: Codable, Sendable { var appointment: UUID }
    struct CleanUp: Codable, Sendable { var before: String }

    @Test func `shows code that does what it says`() async throws {
        try await withRedis { (durable, _) async throws in
            try await withJobsDatabase { (postgres, _) async throws in
                let logger = quiet
                let appointment = UUIDv7.make()
                let tomorrow = Instant.now() + .seconds(86_400)

                let remind = Job<Reminder>("remind", retries: RetryPolicy(maximumTries: 5), timeout: .seconds(30))

                let queue = JobQueue(redis: durable, name: "arq:queue:users")
                let id = try await queue.enqueue(remind, Reminder(appointment: appointment), due: tomorrow).id
                let result = try await queue.result(of: id)
                #expect(result == nil)

                let handler = JobHandler(remind) { reminder, run in
                    _ = try await run.commit { transaction in
                        try await transaction.execute("INSERT INTO done (job, fence) VALUES (\(reminder.appointment)::text, \(run.fence))")
                    }
                }
                let effects = JobEffects(postgres: postgres, table: "job_effects")
                let worker = JobWorker(queue, handlers: [handler], effects: effects, logger: logger)

                let outbox = Outbox(postgres: postgres, table: "outbox")
                try await postgres.transaction { transaction in
                    try await outbox.add(OutboxEvent(remind, Reminder(appointment: appointment), about: appointment), in: transaction)
                }
                let relay = OutboxRelay(outbox, to: queue, logger: logger)

                let cleanUp = Job<CleanUp>("clean_up")
                let entry = CronEntry("nightly", .daily(hour: 3), cleanUp, catchUp: .once) { slot in CleanUp(before: slot.rfc3339) }
                let scheduler = CronScheduler(queue, entries: [entry], logger: logger)

                let running = [Task { await relay.run() }, Task { await scheduler.run() }]
                try await working(worker) { () async throws in
                    try await eventually {
                        let done = try await postgres.rows("SELECT job FROM done", as: Scalar<String>.self).map(\.value)
                        return done == [appointment.uuidString.lowercased()]
                    }
                }
                for task in running { task.cancel() }
                for task in running { await task.value }
                for letter in try await queue.deadLetters() { try await queue.replay(letter.id) }
                #expect(try await queue.status(of: id) == .deferred)
                let person = appointment
                try await queue.forget(naming: person)
                #expect(try await queue.status(of: id) == .unknown)
            }
        }
    }
}
