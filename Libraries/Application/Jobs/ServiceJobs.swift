package import Jobs
package import Postgres

/// The jobs of a service: its queue in the durable Redis, which is named after it, the worker that runs them in this process, the relay of
/// its outbox, and what is enqueued by the clock. A program has one.
package struct ServiceJobs: Sendable {
    package let queue: JobQueue
    /// What a transaction adds events to; its relay runs here.
    package let outbox: Outbox
    private let worker: JobWorker
    private let relay: OutboxRelay
    private let scheduler: CronScheduler
    private let hasCron: Bool

    /// - Parameter schema: the service's, in which its outbox and its table of effects are.
    package init(_ host: ServiceHost, schema: Query, handlers: [JobHandler], cron: [CronEntry] = []) {
        queue = JobQueue(redis: host.durable, name: "arq:queue:\(host.configuration.service)")
        outbox = Outbox(postgres: host.postgres, table: "\(schema).outbox")
        relay = OutboxRelay(outbox, to: queue, logger: host.logger)
        scheduler = CronScheduler(queue, entries: cron, logger: host.logger)
        worker = JobWorker(
            queue, handlers: handlers, effects: JobEffects(postgres: host.postgres, table: "\(schema).job_effects"), logger: host.logger)
        hasCron = !cron.isEmpty
        host.published.add { [worker, relay] in JobMetrics(queue: worker.statistics, outbox: relay.backlog).write(to: &$0) }
    }

    /// What runs beside the server.
    package var background: [@Sendable () async throws -> Void] {
        [{ [worker] in await worker.run() }, { [relay] in await relay.run() }]
            + (hasCron ? [{ [scheduler] in await scheduler.run() }] : [])
    }
}
