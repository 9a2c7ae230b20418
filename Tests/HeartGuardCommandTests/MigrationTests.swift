internal import Migrations
internal import Postgres
internal import Schema
internal import TestSupport
internal import Testing

@testable internal import HeartGuardCommand

@Suite struct `The chain as the command tells of it` {
    private func withMigration(_ body: (SchemaMigration, Cluster) async throws -> Void) async throws {
        try await withCluster { cluster in
            let owner = cluster.server.configuration(database: cluster.database, user: ServiceRole.owner)
            try await body(SchemaMigration(configuration: owner), cluster)
        }
    }

    private let last = Schema.chain.revisions.last?.id ?? ""

    @Test func `is there whole, loses its last revision and has it again`() async throws {
        try await withMigration { migration, _ in
            let whole = try await migration.status()
            let verdict = try await migration.verify()
            let lost = try await migration.down(to: nil)
            let shorter = try await migration.status()
            let again = try await migration.up()

            #expect(whole.count == Schema.chain.revisions.count && whole.allSatisfy { $0.contains("  applied ") })
            #expect(verdict == "What was applied is what the chain says, and the schema is what it left.")
            #expect(lost == "lost \(last)")
            #expect(shorter.last?.hasPrefix("\(last)  ") == true && shorter.last?.hasSuffix("  missing") == true)
            #expect(again == "brought up to date: \(last)")
        }
    }

    @Test func `is told apart from what the database has of others`() async throws {
        try await withMigration { migration, cluster in
            try await cluster.psql(
                """
                UPDATE heartguard.schema_migrations SET checksum = repeat('0', 64) WHERE id = '20260119_session_archives';
                UPDATE heartguard.schema_migrations SET id = '20990101_later', name = 'later' WHERE id = '\(last)';
                """)

            let lines = try await migration.status()

            #expect(lines.filter { $0.hasSuffix(", with another text") }.map { $0.prefix(26) } == ["20260119_session_archives "])
            #expect(lines.filter { $0.hasSuffix("  missing") }.count == 1)
            #expect(lines.last?.hasPrefix("20990101_later  later  applied ") == true)
            #expect(lines.last?.hasSuffix(", unknown to this program") == true)
            await #expect(throws: CommandFailure.self) { try await migration.verify() }
        }
    }
}
