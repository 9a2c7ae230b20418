internal import Logging
internal import Postgres
internal import Time

/// What one job did when its time had come.
struct JobRun: Hashable, Sendable, RowDecodable {
    let job: String
    let slot: Instant
    /// How many times nobody ran it before; this run made up for them.
    let missedSlots: Int32
    let sqlState: String?

    init(row: Row) throws(PostgresError) {
        job = try row.decode("job")
        slot = try row.decode("slot")
        missedSlots = try row.decode("missed_slots")
        sqlState = try row.decode("sql_state")
    }
}

/// Has the database do what is done by the clock: statistics, ANALYZE, partitions.
///
/// Which jobs are due, and that each is run by one caller alone, is decided by `heartguard.run_due_jobs` under advisory
/// locks; so every replica has one of these, and pg_cron may call it too.
struct JobScheduler: Sendable {
    let postgres: Postgres
    var interval: Duration = .seconds(60)
    let logger: Logger

    /// Asks once a minute until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do throws(PostgresError) {
                report(try await runDueJobs())
            } catch {
                // The readiness check says more of a database that is down or whose schema is behind.
                if !Task.isCancelled {
                    logger.warning("the jobs that are due could not be run", metadata: ["reason": "\(error)"])
                }
            }
            do { try await Task.sleep(for: interval) } catch { return }
        }
    }

    /// What was due and has been run by this call.
    func runDueJobs() async throws(PostgresError) -> [JobRun] {
        try await postgres.rows(.runDueJobs)
    }

    private func report(_ runs: [JobRun]) {
        for run in runs {
            let metadata: Logger.Metadata = ["job": "\(run.job)", "slot": "\(run.slot)"]
            if let sqlState = run.sqlState {
                logger.error("a job failed", metadata: metadata.merging(["sql_state": "\(sqlState)"]) { $1 })
            } else if run.missedSlots > 0 {
                logger.warning(
                    "a job was made up for that nobody had run when it was due",
                    metadata: metadata.merging(["missed": "\(run.missedSlots)"]) { $1 })
            } else {
                logger.info("a job was run", metadata: metadata)
            }
        }
    }
}

extension Statement<JobRun> {
    static var runDueJobs: Self {
        .writing("SELECT job, slot, missed_slots, sql_state FROM heartguard.run_due_jobs('vectors')", tier: .batch)
    }
}
