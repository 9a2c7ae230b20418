internal import Jobs
internal import Logging
internal import Postgres
internal import Time

/// What one job did when its time had come.
struct DatabaseJobRun: Hashable, Sendable, RowDecodable {
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
/// Which of them are due, and that each is run by one caller alone, is decided by `heartguard.run_due_jobs` under advisory locks, which makes
/// up for what was missed. Here it is called once a minute until nothing is due, by whichever replica's worker has a hand free; pg_cron may call it too,
/// which tells nobody, so what it ran is told of here.
struct DatabaseJobs: Sendable {
    let postgres: Postgres
    let logger: Logger

    /// A minute that passed is of no use: the next call does what was left.
    static let everyMinute = CronEntry("database_jobs", .everyMinute, job, catchUp: .skip) { _ in nil }

    /// Longer than all of them take: each has the time of its statement to itself, and one that takes all of it is recorded as failed.
    private static let job = Job<Int?>("run_database_jobs", retries: .once, timeout: .seconds(3_600), resultLife: nil)

    var handler: JobHandler {
        JobHandler(Self.job) { _, _ in
            do throws(PostgresError) {
                try await runDueJobs()
            } catch {
                // No failure of the job: what was not done is due in the next minute still, and a letter a minute would tell nobody more.
                logger.warning("the jobs that are due could not be run", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// What was due and has been run by this call, each in a transaction of its own; and then what others ran and nobody has told of.
    @discardableResult
    func runDueJobs() async throws(PostgresError) -> [DatabaseJobRun] {
        var runs: [DatabaseJobRun] = []
        while let run = try await postgres.first(.runDueJob) {
            report(run)
            runs.append(run)
        }
        for run in try await postgres.rows(.takeRunsOfOthers) {
            report(run)
            runs.append(run)
        }
        return runs
    }

    private func report(_ run: DatabaseJobRun) {
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

extension Statement<DatabaseJobRun> {
    /// Of one job, or of none if none is due.
    static var runDueJob: Self {
        .writing("SELECT job, slot, missed_slots, sql_state FROM heartguard.run_due_jobs('vectors')", tier: .batch)
    }

    /// They count as told of from now on.
    static var takeRunsOfOthers: Self {
        .writing(
            """
            UPDATE heartguard.job_runs SET reported_at = clock_timestamp() WHERE reported_at IS NULL AND runner <> 'vectors'
            RETURNING job, slot, missed_slots, sql_state
            """)
    }
}
