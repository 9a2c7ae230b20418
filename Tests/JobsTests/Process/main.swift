import Dispatch
import Foundation
import Jobs
import Logging
import Postgres
import Redis
import Synchronization
import Time

// A program that tests kill, pause and stop. It ends when its standard input does, so it lives no longer than its test.
//
//   JobsTestProcess worker REDIS_PORT QUEUE POSTGRES_PORT DATABASE
//   JobsTestProcess relay  REDIS_PORT QUEUE POSTGRES_PORT DATABASE [STEP COUNT]   kills itself at the COUNTth time it is at the step

func misused() -> Never {
    FileHandle.standardError.write(Data("JobsTestProcess worker|relay REDIS_PORT QUEUE POSTGRES_PORT DATABASE [STEP COUNT]\n".utf8))
    exit(64)
}

let arguments = CommandLine.arguments
guard arguments.count >= 6, let redisPort = Int(arguments[2]), let postgresPort = Int(arguments[4]) else {
    misused()
}

@Sendable func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

// What the tests start inherits a mask under which nobody could stop it.
var noSignals = sigset_t()
unsafe sigemptyset(&noSignals)
unsafe pthread_sigmask(SIG_SETMASK, &noSignals, nil)

Thread.detachNewThread {
    while !FileHandle.standardInput.availableData.isEmpty {}
    exit(0)
}

let logger = Logger(label: "jobs-test-process") { StreamLogHandler.standardError(label: $0) }
let redis = Redis(configuration: RedisConfiguration(port: redisPort, role: .durable), logger: logger)
let queue = JobQueue(redis: redis, name: arguments[3])
let postgres = Postgres(
    configuration: PostgresConfiguration(
        host: "127.0.0.1", port: postgresPort, database: arguments[5], user: "heartguard_test", applicationName: "jobs-test-process"),
    logger: logger)

let work: @Sendable () async -> Void
switch arguments[1] {
case "worker":
    let sleep = JobHandler(Job<TestPayload>("sleep")) { payload, run in
        say("began \(run.id) \(run.attempt)")
        try await Task.sleep(for: .milliseconds(payload.milliseconds))
        say("ended \(run.id)")
    }
    let effect = JobHandler(Job<TestPayload>("effect")) { payload, run in
        say("began \(run.id) \(run.attempt)")
        // Like work that does not heed a cancellation: it commits however late it is.
        let late = Task {
            try? await Task.sleep(for: .milliseconds(payload.milliseconds))
            return try await run.commit { transaction in
                try await transaction.execute("INSERT INTO done (job, fence) VALUES (\(run.id.rawValue), \(run.fence))")
            }
        }
        do {
            switch try await late.value {
            case .committed: say("committed \(run.id)")
            case .committedBefore: say("before \(run.id)")
            }
        } catch let error as JobError where error.code == .fenced {
            say("fenced \(run.id)")
            throw error
        }
    }
    let poison = JobHandler(Job<TestPayload>("poison", retries: RetryPolicy(maximumTries: 2))) { _, run in
        say("began \(run.id) \(run.attempt)")
        kill(getpid(), SIGKILL)
    }
    let worker = JobWorker(
        queue, handlers: [sleep, effect, poison], effects: arguments[5] == "none" ? nil : JobEffects(postgres: postgres, table: "job_effects"),
        configuration: JobWorkerConfiguration(
            concurrency: 4, lease: .milliseconds(1_500), pollInterval: .milliseconds(50), drainTimeout: .milliseconds(300)),
        logger: logger)
    work = { await worker.run() }
case "relay":
    let relay = OutboxRelay(Outbox(postgres: postgres, table: "outbox"), to: queue, logger: logger)
    let step = arguments.count > 7 ? arguments[6] : ""
    let fatal = arguments.count > 7 ? Int(arguments[7]) ?? 1 : 0
    let seen = Atomic<Int>(0)
    work = {
        do {
            while try await relay.relay(limit: 10, after: { reached in
                guard "\(reached)" == step, seen.add(1, ordering: .relaxed).newValue == fatal else { return }
                kill(getpid(), SIGKILL)
            }) > 0 {}
            say("told all")
        } catch {
            say("failed \(error)")
        }
    }
default: misused()
}

// As a service does: what was asked to stop ends before its stores do.
let stores = [Task { await redis.run() }, Task { await postgres.run() }]
let running = Task { await work() }
signal(SIGTERM, SIG_IGN)
let stop = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .main)
stop.setEventHandler { running.cancel() }
stop.resume()
say("ready")
await running.value
for store in stores { store.cancel() }
for store in stores { await store.value }
say("stopped")

struct TestPayload: Codable, Sendable {
    var milliseconds = 0
}
