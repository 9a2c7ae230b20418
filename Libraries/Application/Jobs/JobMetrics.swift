internal import Jobs
internal import Telemetry
internal import Time

/// What a worker knows of its queue and has done, and what waits in the outbox for it, as metrics.
struct JobMetrics {
    let queue: JobStatistics
    let outbox: OutboxBacklog

    func write(to text: inout PrometheusText) {
        let labels = [("queue", queue.queue)]
        func lines(_ name: String, _ help: String, _ value: (JobStatistics.Line) -> Double) {
            text.family(name, .gauge, help: help)
            for line in queue.lines.lines { text.sample(name, labels + [("priority", line.priority.rawValue)], value(line)) }
        }
        func gauge(_ name: String, _ help: String, _ value: Double) {
            text.family(name, .gauge, help: help)
            text.sample(name, labels, value)
        }
        lines("heartguard_jobs_depth", "Jobs that have not ended, those that run and those that are deferred included.") { Double($0.depth) }
        lines("heartguard_jobs_due", "Jobs whose time has come and that nobody runs.") { Double($0.due) }
        lines("heartguard_jobs_oldest_age_seconds", "How long the job that is due longest has waited.") { $0.oldestAge / .seconds(1) }
        gauge(
            "heartguard_jobs_dead_letters", "Jobs that failed for the last time and wait for an operator.", Double(queue.lines.deadLetters))
        gauge("heartguard_jobs_running", "Jobs that this program runs.", Double(queue.running))
        gauge("heartguard_outbox_waiting", "Rows of the outbox that could be in the queue and are not.", Double(outbox.waiting))
        let age = outbox.oldest.map { max(.zero, Instant.now() - $0) } ?? .zero
        gauge("heartguard_outbox_oldest_age_seconds", "How long the oldest of them has waited.", age / .seconds(1))
        let runs = "heartguard_jobs_runs_total"
        let counts = queue.counts
        text.family(runs, .counter, help: "Runs that ended in this program, by how.")
        for (outcome, count) in [
            ("done", counts.done), ("retried", counts.retried), ("dead", counts.dead), ("aborted", counts.aborted),
            ("given_back", counts.givenBack), ("lost", counts.lost),
        ] {
            text.sample(runs, labels + [("outcome", outcome)], UInt64(count))
        }
    }
}
