internal import DatabaseTestSupport
internal import Foundation
internal import Migrations
internal import Postgres
internal import Schema
internal import TestSupport
internal import Testing

/// pg_cron itself calls, on the schedule that the revision gives it: the beginning of a minute, which is waited for. (Schedules of
/// seconds came with pg_cron 1.5; Debian 12 has 1.4.)
@Suite struct `A job that is due` {
    @Test func `is run by pg_cron, once for all its missed slots, and is recorded`() async throws {
        let server = try await PostgresServer.start(
            settings: ["shared_preload_libraries=pg_cron", "cron.database_name=cron_fires", "cron.host=127.0.0.1"])
        let result: Result<Void, any Error>
        do {
            try await server.makeDatabase("cron_fires")
            try await server.psql(
                "CREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO \(ServiceRole.owner)", database: "cron_fires")
            try await withOwner(of: "cron_fires", on: server) { owner in
                _ = try await Migrator(owner, chain: Schema.chain, logger: quiet).up()
            }
            // As if nobody had called since the day before yesterday.
            try await server.psql("UPDATE heartguard.jobs SET created_at = now() - interval '2 days'", database: "cron_fires")

            let end = ContinuousClock.now + .seconds(300)
            while ContinuousClock.now < end {
                if try await server.psql("SELECT count(*) FROM heartguard.job_runs", database: "cron_fires") == "3" { break }
                try await Task.sleep(for: .milliseconds(500))
            }

            #expect(
                try await server.psql(
                    "SELECT job, runner, outcome, missed_slots > 0 FROM heartguard.job_runs ORDER BY job", database: "cron_fires")
                    == """
                    analyze|pg_cron|done|t
                    device_timeseries_partitions|pg_cron|done|t
                    refresh_statistics|pg_cron|done|t
                    """)
            #expect(
                try await server.psql(
                    "SELECT username, command FROM cron.job_run_details ORDER BY runid LIMIT 1", database: "cron_fires")
                    == "heartguard_owner|SELECT heartguard.run_due_jobs('pg_cron')")
            #expect(
                try await server.psql(
                    "SELECT relispopulated FROM pg_class WHERE relname = 'mv_vector_collection_stats'", database: "cron_fires") == "t")
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await server.end()
        try result.get()
    }
}
