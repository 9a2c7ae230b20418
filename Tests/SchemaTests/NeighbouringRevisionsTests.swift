internal import DatabaseTestSupport
internal import Foundation
internal import Migrations
internal import Postgres
internal import Schema
internal import TestSupport
internal import Testing

/// While a release is rolled out, code of the revision before runs on the schema of the next, for as long as replicas are replaced.
@Suite struct `Code of one revision, on the schema of the next,` {
    private func superuser<Value>(
        _ database: String, _ server: PostgresServer, _ body: (Postgres) async throws -> Value
    ) async throws -> Value {
        try await PostgresServer.withClient(server.configuration(database: database), body)
    }

    private func up(to revision: Int, _ database: String, _ server: PostgresServer) async throws {
        let chain = MigrationChain(revisions: Array(Schema.chain.revisions[...revision]))
        try await withOwner(of: database, on: server) { _ = try await Migrator($0, chain: chain, logger: quiet).up() }
    }

    private func statements(_ phase: String, _ database: String, _ server: PostgresServer) async throws -> [String] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "SQL/old_statements.sql")
        return try await server.psql(file: file.path, database: database, settings: ["phase=\(phase)"])
            .split(separator: "\n").map(String.init)
    }

    /// Lends an empty database, with pgvector or without.
    private func withEmptyDatabase(hasVectors: Bool, _ body: (PostgresServer, String) async throws -> Void) async throws {
        guard hasVectors else { return try await SchemaTests.withEmptyDatabase(body) }
        let server = try await PostgresServer.startWithVectors()
        let result: Result<Void, any Error>
        do {
            try await server.makeDatabase("neighbours")
            result = .success(try await body(server, "neighbours"))
        } catch {
            result = .failure(error)
        }
        try await server.end()
        try result.get()
    }

    /// These demand nothing of code that runs: triggers that add to another table, a key of a column that no code of before fills, a trigger that
    /// refuses a collection the name that only code of after can have given to an alias, and what keeps events from being deleted, which no code may.
    /// Of alerts a wider key takes the place of one that no code names; it demands less. And no code has ever written the lists of drugs.
    private static let harmless = [
        "demanded now: vitals.device_timeseries has the trigger CREATE TRIGGER stale_rollups_",
        "demanded now: vitals.health_goal_progress is unique by health_goal_progress_vital_key: ",
        "demanded now: vectors.collections has the trigger CREATE TRIGGER names_are_apart ",
        "demanded now: heartguard.audit_log: policy audit_keeping for d to heartguard_owner ",
        "demanded now: vitals.health_alerts is unique by health_alerts_fired_once: ",
        "no longer: vitals.health_alerts is unique by health_alerts_fired_key: ",
        "no longer: heartguard_vitals may insert vitals.drug_names.", "no longer: heartguard_vitals may update vitals.drug_names.",
        "no longer: heartguard_vitals may insert vitals.drug_classes.", "no longer: heartguard_vitals may update vitals.drug_classes.",
    ]

    /// The statements that name that key's columns, or write those lists, which are made of the catalog and no code's.
    private static let unsent = [
        "ON CONFLICT (fired_by, rule_id, rule_version)",
        ": INSERT INTO vitals.drug_names ", ": UPDATE vitals.drug_names ", ": INSERT INTO vitals.drug_classes ", ": UPDATE vitals.drug_classes ",
    ]

    @Test(arguments: [false, true]) func `finds every promise kept and nothing new demanded`(hasVectors: Bool) async throws {
        try await withEmptyDatabase(hasVectors: hasVectors) { server, database in
            try await superuser(database, server) { superuser in
                try await up(to: 0, database, server)
                var before = try await Promises(of: superuser)
                for revision in Schema.chain.revisions.indices.dropFirst() {
                    try await up(to: revision, database, server)

                    let after = try await Promises(of: superuser)

                    let broken = before.broken(by: after).filter { demand in !Self.harmless.contains { demand.hasPrefix($0) } }
                    #expect(broken == [], "\(Schema.chain.revisions[revision].id)")
                    before = after
                }
            }
        }
    }

    @Test(arguments: [false, true])
    func `can send every statement that it could, with the same outcome, and finds its rows`(hasVectors: Bool) async throws {
        try await withEmptyDatabase(hasVectors: hasVectors) { server, database in
            try await up(to: 0, database, server)
            var tried = 0
            for revision in Schema.chain.revisions.indices.dropFirst() {
                let recorded = try await statements("record", database, server)
                // All of them work to begin with.
                #expect(recorded.dropFirst() == [], "\(Schema.chain.revisions[revision - 1].id)")
                tried += recorded.first.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
                try await up(to: revision, database, server)

                let changed = try await statements("repeat", database, server).filter { line in !Self.unsent.contains { line.contains($0) } }

                #expect(changed == [], "\(Schema.chain.revisions[revision].id)")
            }
            #expect(tried > 800)
        }
    }

    /// Revisions that no release may have, and what says so.
    private static let bad = [
        ("ALTER TABLE vitals.medications DROP COLUMN pharmacy", "no longer: vitals.medications.pharmacy is text"),
        ("ALTER TABLE vitals.medications RENAME name TO title", "no longer: vitals.medications.name is text"),
        ("ALTER TABLE users.outbox ALTER attempts TYPE bigint", "no longer: users.outbox.attempts is integer"),
        ("ALTER TABLE chat.feedback ALTER comment SET NOT NULL", "no longer: chat.feedback.comment may be null"),
        ("ALTER TABLE chat.feedback ALTER created_at DROP DEFAULT", "no longer: chat.feedback.created_at may be left out"),
        ("ALTER TABLE chat.feedback ADD place text NOT NULL", "demanded now: a value for chat.feedback.place"),
        ("ALTER TABLE chat.feedback ADD CHECK (comment <> 'x')", "demanded now: chat.feedback: CHECK ((comment <> 'x'::text))"),
        ("CREATE UNIQUE INDEX once ON chat.feedback (user_id)", "demanded now: chat.feedback is unique by once: user_id"),
        ("CREATE UNIQUE INDEX twice ON chat.feedback (user_id, comment)", "demanded now: chat.feedback is unique by twice: user_id, comment"),
        ("REVOKE UPDATE ON chat.feedback FROM heartguard_chat", "no longer: heartguard_chat may update chat.feedback.comment"),
        ("REVOKE DELETE ON chat.feedback FROM heartguard_chat", "no longer: heartguard_chat may delete chat.feedback"),
        ("DROP INDEX users.push_devices_token_key",
         "no longer: users.push_devices is unique by push_devices_token_key: user_id, md5(push_token)"),
        ("CREATE POLICY less ON chat.feedback AS RESTRICTIVE USING (false)",
         "demanded now: chat.feedback: policy less for * to public using false checking "),
        ("ALTER TABLE users.outbox ENABLE ROW LEVEL SECURITY", "demanded now: users.outbox has row-level security"),
        ("DROP TABLE chat.content_verifications", "no longer: chat.content_verifications.id is uuid"),
    ]

    @Test func `is told of each promise that a revision breaks, and not of what it only adds`() async throws {
        try await withSchema { server, database in
            try await superuser(database, server) { superuser in
                var before = try await Promises(of: superuser)
                for (sql, complaint) in Self.bad {
                    try await server.psql(sql, database: database)
                    let after = try await Promises(of: superuser)

                    #expect(before.broken(by: after).contains(complaint), "\(sql): \(before.broken(by: after))")
                    before = after
                }
                try await server.psql(
                    """
                    ALTER TABLE vitals.vitals ADD place text CHECK (place <> ''), ADD floor int NOT NULL DEFAULT 0;
                    CREATE UNIQUE INDEX vitals_place ON vitals.vitals (place);
                    CREATE TABLE vitals.places (id uuid PRIMARY KEY, name text NOT NULL CHECK (name <> ''));
                    GRANT SELECT ON vitals.places TO heartguard_vitals;
                    ALTER TABLE vitals.vitals ALTER source DROP NOT NULL;
                    """, database: database)
                #expect(before.broken(by: try await Promises(of: superuser)) == [])
            }
        }
    }

    @Test func `is told of each statement that a revision breaks`() async throws {
        try await withSchema { server, database in
            _ = try await statements("record", database, server)
            #expect(try await statements("repeat", database, server) == [])
            try await server.psql(
                """
                ALTER TABLE vitals.medications DROP COLUMN pharmacy;
                ALTER TABLE chat.feedback ADD place text NOT NULL DEFAULT 'x';
                ALTER TABLE chat.feedback ALTER place DROP DEFAULT;
                REVOKE DELETE ON users.calendar_events FROM heartguard_users;
                DROP INDEX users.push_devices_token_key;
                """, database: database)

            let changed = try await statements("repeat", database, server)

            for (state, statement) in [
                ("42703", "SELECT"), ("42703", "UPDATE"), ("42703", "INSERT INTO vitals.medications"), ("23502", "INSERT INTO chat.feedback"),
                ("42501", "DELETE FROM users.calendar_events"), ("42P10", "INSERT INTO users.push_devices"),
            ] {
                #expect(changed.contains { $0.contains("then \(state)") && $0.contains(": \(statement)") }, "\(state) \(statement)")
            }
        }
    }
}
