internal import Logging
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Vectors

@Suite struct `What the database does by the clock` {
    @Test func `is run once when it is due, whatever the number of replicas, and tells what had been missed`() async throws {
        try await withVectorsDatabase { database in
            // The jobs were made three days ago, and nobody has run them since.
            try await database.server.psql(
                "UPDATE heartguard.jobs SET created_at = now() - interval '3 days'", database: database.name)
            let configuration = database.server.configuration(database: database.name, user: "heartguard_vectors")

            try await PostgresServer.withClient(configuration) { postgres in
                let jobs = DatabaseJobs(postgres: postgres, logger: Logger(label: "jobs"))
                let runs = try await withThrowingTaskGroup(of: [DatabaseJobRun].self) { group in
                    for _ in 0..<4 { group.addTask { try await jobs.runDueJobs() } }
                    return try await group.reduce(into: []) { $0 += $1 }
                }

                #expect(runs.map(\.job).sorted() == ["analyze", "device_timeseries_partitions", "refresh_statistics"])
                #expect(runs.allSatisfy { $0.sqlState == nil })
                let hourly = try #require(runs.first { $0.job == "refresh_statistics" })
                #expect((70...72).contains(hourly.missedSlots))
                #expect(runs.filter { $0.job != "refresh_statistics" }.allSatisfy { (1...3).contains($0.missedSlots) })
                // An hour may begin between the two; nothing else is due again.
                #expect(try await jobs.runDueJobs().allSatisfy { $0.job == "refresh_statistics" && $0.missedSlots == 0 })
            }
        }
    }

    @Test func `is told of once, with what had been missed, where pg_cron ran it`() async throws {
        try await withVectorsDatabase { database in
            try await database.server.psql(
                """
                UPDATE heartguard.jobs SET created_at = now() - interval '3 days' WHERE name = 'analyze';
                SELECT heartguard.run_due_jobs('pg_cron');
                """, database: database.name)
            let configuration = database.server.configuration(database: database.name, user: "heartguard_vectors")

            try await PostgresServer.withClient(configuration) { postgres in
                let jobs = DatabaseJobs(postgres: postgres, logger: Logger(label: "jobs"))
                let told = try await withThrowingTaskGroup(of: [DatabaseJobRun].self) { group in
                    for _ in 0..<4 { group.addTask { try await jobs.runDueJobs() } }
                    return try await group.reduce(into: []) { $0 += $1 }
                }

                #expect(told.filter { $0.job == "analyze" }.map(\.sqlState) == [nil])
                #expect(told.filter { $0.job == "analyze" }.allSatisfy { (1...3).contains($0.missedSlots) })
                #expect(try await jobs.runDueJobs().allSatisfy { $0.job != "analyze" })
            }
        }
    }

    @Test func `is a job a transaction, which holds the locks of no other`() async throws {
        try await withVectorsDatabase { database in
            try await database.server.psql(
                "UPDATE heartguard.jobs SET created_at = now() - interval '3 days'", database: database.name)
            let configuration = database.server.configuration(database: database.name, user: "heartguard_vectors")

            try await PostgresServer.withClient(configuration) { postgres in
                var jobs: [[String]] = []
                for _ in 0..<3 { jobs.append(try await postgres.rows(.runDueJob).map(\.job)) }

                #expect(jobs == [["analyze"], ["device_timeseries_partitions"], ["refresh_statistics"]])
            }
        }
    }

    /// Lends a client of the service's role, for which all jobs are due and the first of them takes a minute.
    private func withSlowJob(_ body: (Postgres) async throws -> Void) async throws {
        try await withVectorsDatabase { database in
            try await database.server.psql(
                """
                UPDATE heartguard.jobs SET created_at = now() - interval '3 days';
                CREATE OR REPLACE FUNCTION heartguard.perform_job(job text) RETURNS void LANGUAGE plpgsql AS $$
                BEGIN
                    IF job = 'analyze' THEN PERFORM pg_sleep(60); END IF;
                END
                $$
                """, database: database.name)
            let configuration = database.server.configuration(database: database.name, user: "heartguard_vectors")
            try await PostgresServer.withClient(configuration) { postgres in try await body(postgres) }
        }
    }

    private let runs: Query = "SELECT count(*) FROM heartguard.job_runs"

    @Test func `is recorded as failed when it takes all its time, and holds up none behind it`() async throws {
        try await withSlowJob { postgres in
            let query = Statement<DatabaseJobRun>.runDueJob.query

            let first = try await postgres.first(query, as: DatabaseJobRun.self, tier: TimeoutTier(limit: .seconds(3)))
            let second = try await postgres.first(.runDueJob)

            #expect(first?.job == "analyze")
            #expect(first?.sqlState == "57014")
            #expect(second?.job == "device_timeseries_partitions")
            #expect(try await postgres.first(runs, as: Scalar<Int64>.self)?.value == 2)
        }
    }

    @Test func `is due still when it was called off`() async throws {
        try await withSlowJob { postgres in
            let running = Task { try await postgres.first(.runDueJob) }
            let sleeping: Query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
            while try await postgres.first(sleeping, as: Scalar<Int64>.self)?.value == 0 { try await Task.sleep(for: .milliseconds(5)) }

            running.cancel()
            let result = await running.result

            #expect(throws: PostgresError.self) { try result.get() }
            #expect(try await postgres.first(runs, as: Scalar<Int64>.self)?.value == 0)
        }
    }

    @Test func `is not run before its time`() async throws {
        try await withSlowJob { postgres in
            let error = await #expect(throws: PostgresError.self) {
                try await postgres.first(
                    "SELECT job, slot, missed_slots, sql_state FROM heartguard.run_due_jobs('test', clock_timestamp() + interval '1 day')",
                    as: DatabaseJobRun.self)
            }

            #expect(error?.sqlState == "22023")
        }
    }
}
