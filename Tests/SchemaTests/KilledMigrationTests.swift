internal import Foundation
internal import Migrations
internal import Postgres
internal import Schema
internal import TestSupport
internal import Testing

@Suite struct `A migration that is killed` {
    /// The revision with its session ended behind a number of statements.
    private func cut(_ revision: Revision, behind count: Int) -> Revision {
        let statements = SQLScript(revision.sql).statements.prefix(count)
        return Revision(
            id: revision.id, name: revision.name,
            sql: (statements + ["SELECT pg_terminate_backend(pg_backend_pid())"]).joined(separator: ";\n"))
    }

    /// Every statement of every revision in turn: what ends the session is what a kill of the process or of the server
    /// leaves, a transaction that nobody commits.
    @Test func `at any statement leaves nothing, and the next run gives the same schema`() async throws {
        try await withEmptyDatabase { server, database in
            try await withOwner(of: database, on: server) { owner in
                var kills = 0
                var applied: [Revision] = []
                for revision in Schema.chain.revisions {
                    if revision.execution == .oneTransaction {
                        let before = try await Catalog.entries(owner)
                        for count in SQLScript(revision.sql).statements.indices.map({ $0 + 1 }) {
                            let deadly = MigrationChain(revisions: applied + [cut(revision, behind: count)])
                            await #expect(throws: (any Error).self) {
                                try await Migrator(owner, chain: deadly, logger: quiet).up()
                            }
                            kills += 1
                        }
                        let left = try await Catalog.entries(owner)
                        // The first run makes the migrator's own tables.
                        #expect(left == before || applied.isEmpty)
                    }
                    applied.append(revision)
                    try await Migrator(owner, chain: MigrationChain(revisions: applied), logger: quiet).up()
                }

                try await Migrator(owner, chain: Schema.chain, logger: quiet).verify()
                let whole = try await withOwner(of: migrated.value, on: server) { try await Catalog.entries($0) }
                #expect(try await Catalog.entries(owner) == whole)
                #expect(kills > 200)
            }
        }
    }

    /// The indexes that are built concurrently: the build is ended on the server while it waits for a transaction that is
    /// older than it, so that the index stays behind and is invalid.
    @Test func `while it builds an index leaves an invalid one, which the next run makes anew`() async throws {
        try await withSchema { server, database in
            try await withOwner(of: database, on: server) { owner in
                let migrator = Migrator(owner, chain: Schema.chain, logger: quiet)
                try await migrator.down(to: "20260221_missing_tables")

                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        // Its own snapshot holds up the build that it waits for.
                        _ = try await server.psql(
                            """
                            DO $$ BEGIN
                            FOR i IN 1..1200 LOOP
                                PERFORM pg_stat_clear_snapshot();
                                IF (SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                                    WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY %'
                                      AND wait_event = 'virtualxid') > 0
                                THEN RETURN; END IF;
                                PERFORM pg_sleep(0.05);
                            END LOOP; RAISE EXCEPTION 'nobody built an index'; END $$
                            """, database: database)
                    }
                    // It waits for a minute, so whoever does not see it by then never will.
                    var isWaiting = false
                    for _ in 0..<1_000 where !isWaiting {
                        isWaiting = try await server.psql(
                            "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'DO %' AND wait_event = 'PgSleep'", database: database) == "t"
                        if !isWaiting { try await Task.sleep(for: .milliseconds(20)) }
                    }
                    try #require(isWaiting, "what ends the build does not run")
                    let error = await #expect(throws: MigrationError.self) { try await migrator.up() }
                    #expect(error?.code == .failed(revision: "20260222_performance_indexes"))
                    try await group.waitForAll()
                }
                #expect(
                    try await server.psql(
                        "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid", database: database)
                        == "vitals.vitals_recorded")

                try await migrator.up()

                let whole = try await withOwner(of: migrated.value, on: server) { try await Catalog.entries($0) }
                #expect(try await Catalog.entries(owner) == whole)
            }
        }
    }
}

@Suite struct `A script` {
    @Test(arguments: [
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("-- a; b\nSELECT ';' ; /* ; /* ; */ ; */ SELECT \"a;b\" ;", ["SELECT ';'", "SELECT \"a;b\""]),
        ("DO $$ BEGIN x; END $$; SELECT $a$ $$;$$ $a$", ["DO $$ BEGIN x; END $$", "SELECT $a$ $$;$$ $a$"]),
        (#"SELECT E'\';', 'it''s;'; SELECT a$b;c$"#, [#"SELECT E'\';', 'it''s;'"#, "SELECT a$b", "c$"]),
        (";;  ;", []), ("SELECT $1; SELECT 'open", ["SELECT $1", "SELECT 'open"]),
    ])
    func `is parted where its statements end`(text: String, statements: [String]) {
        #expect(SQLScript(text).statements == statements)
    }
}
