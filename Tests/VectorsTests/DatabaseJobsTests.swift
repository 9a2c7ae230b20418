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
}
