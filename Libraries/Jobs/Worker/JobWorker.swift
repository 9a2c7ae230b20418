package import Logging
internal import Postgres
internal import Synchronization
internal import Time

/// Runs the jobs of a queue in this process, a bounded number at once.
///
/// A job is run by one worker at a time, for as long as that is heard of. A worker that is killed is replaced within twice its lease, and
/// the run counts as a try, so that a job which kills its workers is a dead letter in the end. A worker that is stopped lets its runs end
/// and gives back what does not: that does not count. Runs may overlap when a worker was taken for dead and was not: `JobRun.commit` lets
/// one of them take effect.
package final class JobWorker: Sendable {
    private struct State {
        var isDraining = false
        var runs: [Int64: ActiveRun] = [:]
        var counts = JobStatistics.Counts()
        var lines = JobStatistics.Lines()
    }

    private let queue: JobQueue
    private let handlers: [String: JobHandler]
    private let effects: JobEffects?
    private let configuration: JobWorkerConfiguration
    private let leases: JobLeases
    private let logger: Logger
    private let state = Mutex(State())
    private let wake = WakeUp()

    /// - Parameter effects: where `JobRun.commit` notes what was done; needed if a handler calls it.
    package init(
        _ queue: JobQueue, handlers: [JobHandler], effects: JobEffects? = nil, configuration: JobWorkerConfiguration = .init(),
        logger: Logger
    ) {
        self.queue = queue
        self.handlers = Dictionary(handlers.map { ($0.name, $0) }) { _, _ in preconditionFailure("two handlers for one job") }
        self.effects = effects
        self.configuration = configuration
        leases = JobLeases(queue: queue, lease: configuration.lease)
        self.logger = logger
    }

    /// The queue's name, and what is known of it and was done here. The lines were counted a few seconds ago.
    package var statistics: JobStatistics {
        state.withLock { JobStatistics(queue: queue.name, running: $0.runs.count, counts: $0.counts, lines: $0.lines) }
    }

    /// Works until the task is cancelled; then takes no more, lets those that run end within their time, gives back the others, and
    /// returns, whether or not their handlers heed it. Redis and the database have to be there for as long. To be called once.
    package func run() async {
        // What runs outlives the cancellation that begins the draining.
        let work = Task { await self.work() }
        await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            state.withLock { $0.isDraining = true }
            wake.signal()
        }
    }

    private func work() async {
        await withDiscardingTaskGroup { keepers in
            keepers.addTask { await self.keepLeases() }
            keepers.addTask { await self.watch() }
            await take()
            await drain()
            keepers.cancelAll()
            // What is left tells Redis how it ended, for as long as its lease holds.
            while !state.withLock(\.runs.isEmpty) { await wake.wait(until: nil) }
        }
    }

    private var isDraining: Bool { state.withLock(\.isDraining) }
    private var active: [ActiveRun] { state.withLock { Array($0.runs.values) } }

    // MARK: Taking jobs

    private func take() async {
        var look = JobLeases.Look()
        var isAway = false
        while !isDraining {
            let free = configuration.concurrency - state.withLock(\.runs.count)
            guard free > 0 else {
                await wake.wait(until: nil)
                continue
            }
            var jobs: [ClaimedJob] = []
            let asked = ContinuousClock.now
            do throws(JobError) {
                jobs = try await Deadline.with(.after(configuration.lease / 2)) { () async throws(JobError) in
                    try await self.leases.claim(upTo: free, &look)
                }
                isAway = false
            } catch {
                // Once an outage.
                if !isAway { logger.warning("no jobs can be taken", metadata: ["queue": "\(queue.name)", "reason": "\(error)"]) }
                isAway = true
            }
            for job in jobs {
                let run = ActiveRun(job, leaseEnd: asked + configuration.lease)
                state.withLock { $0.runs[job.fence] = run }
                // Nobody's child: who heeds no cancellation would be waited for. `drain` waits for the others.
                Task { await self.perform(run) }
            }
            // Where fewer came than could have, there are no more.
            if jobs.count < free { await wake.wait(until: .now + configuration.pollInterval) }
        }
    }

    private func drain() async {
        await waitForRuns(atMost: configuration.drainTimeout)
        for run in active { run.stop(because: .draining) }
        await waitForRuns(atMost: configuration.stopTimeout)
        // These handlers don't heed a cancellation. Whoever takes their jobs shuts them out of the database, and nobody waits for them.
        for run in active {
            let isGivenUp = await tell(run) { () async throws(JobError) in try await self.giveBack(run) }
            if isGivenUp { state.withLock { $0.runs[run.job.fence] = nil } }
        }
    }

    private func waitForRuns(atMost duration: Duration) async {
        let end = ContinuousClock.now + duration
        while !state.withLock(\.runs.isEmpty), .now < end { await wake.wait(until: end) }
    }

    // MARK: Keeping leases

    private func keepLeases() async {
        let interval = configuration.lease / 3
        while (try? await Task.sleep(for: interval)) != nil {
            // The lease of what heeds no cancellation ends, and another worker takes the job up: a handler that hangs must not have it for ever.
            let runs = active.filter { !$0.hasIgnoredStop(for: configuration.stopTimeout) }
            let asked = ContinuousClock.now
            do throws(JobError) {
                let states = try await Deadline.with(.after(interval)) { () async throws(JobError) in
                    try await self.leases.renew(runs.map(\.job))
                }
                for (run, state) in zip(runs, states) {
                    switch state {
                    case .held: run.extend(until: asked + configuration.lease)
                    case .lost: run.stop(because: .leaseLost)
                    case .aborted: run.stop(because: .aborted)
                    }
                }
            } catch {
                // Each run's own clock says how long it may go on.
            }
            for run in runs where !run.holdsLease { run.stop(because: .leaseLost) }
        }
    }

    // MARK: Running a job

    private func perform(_ run: ActiveRun) async {
        let job = run.job
        await settle(run)
        state.withLock { $0.runs[job.fence] = nil }
        wake.signal()
    }

    private func settle(_ run: ActiveRun) async {
        let job = run.job
        guard !isDraining else {
            await tell(run) { () async throws(JobError) in try await self.giveBack(run) }
            return
        }
        guard let bytes = job.bytes else {
            let reason = job.byteCount == 0 ? "The job had expired before it was run." : "The job's body is larger than 4 MiB."
            return await die(run, nil, reason, instance: "\(job.id)@\(job.fence)")
        }
        guard let body = JobBody(parsing: bytes) else {
            return await die(
                run, nil, "The job is not in JSON; both sides have to be set to it (job_serializer).", instance: "\(job.id)@\(job.fence)")
        }
        guard !job.isAborted else { return await endAborted(run, body, startedAt: .now()) }
        guard let handler = handlers[body.function] else { return await leaveUnknown(run, body) }
        var tries = job.tries
        if let attempt = body.attempt, attempt > tries {
            tries = attempt
            try? await leases.setTries(of: job, to: tries)
        }
        guard tries <= handler.retries.maximumTries else {
            return await die(run, body, "The workers that ran the job ended before it did.")
        }
        if let rate = handler.rate, await isTooEarly(run, handler.name, rate) { return }
        await perform(run, body, handler, tries)
    }

    /// Whether the run's moment has not come, or nobody can say; then the job has been put back until it has.
    private func isTooEarly(_ run: ActiveRun, _ name: String, _ rate: JobRate) async -> Bool {
        var wait = Duration.seconds(1)
        do throws(JobError) {
            wait = try await leases.wait(of: run.job, name, at: rate)
            guard wait > .zero else { return false }
        } catch {
            logger.warning("a job waits for Redis", metadata: ["job": "\(name)", "reason": "\(error)"])
        }
        await tell(run) { () async throws(JobError) in try await self.leases.release(run.job, after: wait, counts: false) }
        return true
    }

    private func perform(_ run: ActiveRun, _ body: JobBody, _ handler: JobHandler, _ tries: Int) async {
        let job = run.job
        let instance = body.instance(of: job.id)
        let context = JobRun(
            id: job.id, instance: instance, fence: job.fence, attempt: tries, enqueuedAt: Instant(milliseconds: body.enqueuedAt),
            effects: effects)
        if job.wasClaimedBefore, let effects {
            do throws(PostgresError) { try await effects.shutOut(before: context) } catch {
                logger.warning("a job waits for the database", metadata: metadata(body, instance, error.message))
                await tell(run) { () async throws(JobError) in
                    try await self.leases.release(job, after: .seconds(1), counts: false)
                }
                return
            }
        }
        let startedAt = Instant.now()
        let handling = Task {
            try await Deadline.with(.after(handler.timeout)) { try await handler.perform(body, context) }
        }
        run.begin(handling)
        let timer = Task {
            guard (try? await Task.sleep(for: handler.timeout)) != nil else { return }
            run.stop(because: .timedOut)
        }
        let outcome = await handling.result
        timer.cancel()

        switch (outcome, run.stop) {
        case (.success(let value), _):
            await end(run, body, .value(value), handler, startedAt, tries)
        case (.failure, .leaseLost):
            lost(run, body)
        case (.failure(let error), _) where (error as? JobError)?.code == .fenced:
            lost(run, body)
        case (.failure, .draining):
            await tell(run) { () async throws(JobError) in try await self.giveBack(run) }
        case (.failure, .aborted):
            await endAborted(run, body, startedAt: startedAt)
        case (.failure(let error), let stop):
            let failure: any Error = stop == .timedOut
                ? JobFailure.temporary("The run took longer than the job's timeout.") : error
            await fail(run, body, handler, failure, startedAt, tries)
        }
    }

    private func end(
        _ run: ActiveRun, _ body: JobBody, _ outcome: JobResult.Outcome, _ handler: JobHandler, _ startedAt: Instant, _ tries: Int
    ) async {
        let job = run.job
        let result = resultBytes(run, body, outcome, startedAt, tries)
        await tell(run) { () async throws(JobError) in
            guard try await self.leases.finish(job, result: result, life: handler.resultLife) else { return false }
            self.count(\.done)
            return true
        }
    }

    private func fail(
        _ run: ActiveRun, _ body: JobBody, _ handler: JobHandler, _ error: any Error, _ startedAt: Instant, _ tries: Int
    ) async {
        let job = run.job
        let reason = sentence(of: error)
        var delay: Duration?
        var isFinal = tries >= handler.retries.maximumTries
        if let failure = error as? JobFailure {
            switch failure.remedy {
            case .none: isFinal = true
            case .retry(let after): delay = after
            }
        }
        guard !isFinal else {
            let type = error is JobFailure || error is JobError ? "JobFailure" : "\(Swift.type(of: error))"
            let failure = JobResult.Outcome.failure(RemoteFailure(type: type, message: reason))
            return await die(
                run, body, reason, result: resultBytes(run, body, failure, startedAt, tries), life: handler.resultLife)
        }
        var random = SystemRandomNumberGenerator()
        let wait = delay ?? handler.retries.delay(after: tries, using: &random)
        logger.warning("a job failed and will be tried again", metadata: metadata(body, body.instance(of: job.id), reason))
        await tell(run) { () async throws(JobError) in
            guard try await self.leases.release(job, after: wait, counts: true) else { return false }
            self.count(\.retried)
            return true
        }
    }

    private func die(
        _ run: ActiveRun, _ body: JobBody?, _ reason: String, instance: String? = nil, result: [UInt8]? = nil, life: Duration? = nil
    ) async {
        let job = run.job
        let letter = body?.instance(of: job.id) ?? instance ?? job.id.rawValue
        logger.error("a job is a dead letter", metadata: metadata(body, letter, reason))
        var result = result
        if result == nil, let body {
            let failure = JobResult.Outcome.failure(RemoteFailure(type: "JobExecutionFailed", message: reason))
            result = resultBytes(run, body, failure, .now(), job.tries)
        }
        let bytes = result
        await tell(run) { () async throws(JobError) in
            let death = JobLeases.Death(letter: letter, name: body?.function, error: reason)
            let isOurs = try await self.leases.finish(
                job, result: bytes, life: bytes == nil ? nil : life ?? .seconds(3_600), death: death)
            if isOurs { self.count(\.dead) }
            return isOurs
        }
    }

    private func endAborted(_ run: ActiveRun, _ body: JobBody, startedAt: Instant) async {
        let job = run.job
        let result = resultBytes(run, body, .failure(.aborted), startedAt, job.tries)
        await tell(run) { () async throws(JobError) in
            guard try await self.leases.finish(job, result: result, life: .seconds(3_600)) else { return false }
            self.count(\.aborted)
            return true
        }
    }

    /// A newer release's worker may know it.
    private func leaveUnknown(_ run: ActiveRun, _ body: JobBody) async {
        let age = Instant.now() - Instant(milliseconds: body.enqueuedAt)
        guard age < configuration.unknownJobLife else { return await die(run, body, "No worker knows a job of this name.") }
        let job = run.job
        await tell(run) { () async throws(JobError) in try await self.leases.release(job, after: .seconds(5), counts: false) }
    }

    private func giveBack(_ run: ActiveRun) async throws(JobError) -> Bool {
        guard try await leases.release(run.job, after: nil, counts: false) else { return false }
        count(\.givenBack)
        return true
    }

    private func lost(_ run: ActiveRun, _ body: JobBody) {
        guard run.settle() else { return }
        count(\.lost)
        logger.warning(
            "a job was taken over by another worker", metadata: metadata(body, body.instance(of: run.job.id), "The lease was lost."))
    }

    /// Tells Redis what became of the run, and again while Redis is away, for as long as the lease may hold. After that another worker has
    /// the job, and the database knows what was done.
    ///
    /// - Returns: `false` at once where somebody else tells it, or has.
    @discardableResult
    private func tell(_ run: ActiveRun, _ body: () async throws(JobError) -> Bool) async -> Bool {
        guard run.settle() else { return false }
        var mayBeTold = false
        while true {
            do throws(JobError) {
                let isOurs = try await body()
                if !isOurs && !mayBeTold { count(\.lost) }
                return true
            } catch {
                mayBeTold = mayBeTold || error.code == .outcomeUnknown
                guard run.holdsLease else {
                    count(\.lost)
                    logger.warning("Redis could not be told of a job's end", metadata: ["reason": "\(error)"])
                    return true
                }
            }
            // Nobody cancels this task.
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    private func resultBytes(
        _ run: ActiveRun, _ body: JobBody, _ outcome: JobResult.Outcome, _ startedAt: Instant, _ tries: Int
    ) -> [UInt8]? {
        func bytes(_ outcome: JobResult.Outcome) -> [UInt8]? {
            let result = JobResult(
                id: run.job.id, job: body.function, outcome: outcome, attempts: tries,
                enqueuedAt: Instant(milliseconds: body.enqueuedAt), startedAt: startedAt, finishedAt: .now())
            return try? result.bytes(of: body, queue: run.job.queue)
        }
        if let bytes = bytes(outcome), bytes.count <= 2 * JobQueue.maximumBodyBytes { return bytes }
        return bytes(.failure(RemoteFailure(type: "SerializationError", message: "unable to serialize result")))
    }

    private func metadata(_ body: JobBody?, _ instance: String, _ reason: String) -> Logger.Metadata {
        ["queue": "\(queue.name)", "job": "\(body.map { handlers[$0.function] == nil ? "" : $0.function } ?? "")", "run": "\(instance)", "reason": "\(reason)"]
    }

    private func count(_ what: any WritableKeyPath<JobStatistics.Counts, Int> & Sendable) { state.withLock { $0.counts[keyPath: what] += 1 } }

    // MARK: Watching the queue

    private func watch() async {
        var cleanUp = ContinuousClock.now + .seconds(60)
        repeat {
            if let lines = try? await queue.lines() { state.withLock { $0.lines = lines } }
            let statistics = statistics
            try? await queue.recordHealth(statistics, life: .seconds(11))
            if let effects, cleanUp <= .now {
                cleanUp = .now + .seconds(3_600)
                try? await effects.forget(before: .now() - JobEffects.memory)
            }
        } while (try? await Task.sleep(for: .seconds(5))) != nil
    }
}
