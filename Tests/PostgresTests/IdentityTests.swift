import ConnectionPool
import FoundationEssentials
import TestSupport
import Testing
@testable import Postgres

@Suite struct `An identity` {
    private static let one = PoolConfiguration(minimumConnections: 1, maximumConnections: 1, acquireTimeout: .seconds(60))
    private static let ada = Identity([("heartguard.user_id", "00000000-0000-7000-8000-00000000000a")])
    private static let bob = Identity([("heartguard.user_id", "00000000-0000-7000-8000-00000000000b")])

    /// Lends a client whose role is subject to row-level security, over a single connection.
    private func withNotes(_ body: (Postgres) async throws -> Void) async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase(pool: Self.one) { configuration in
            try await server.psql("""
                CREATE ROLE \(configuration.database)_notes LOGIN;
                CREATE TABLE notes (user_id uuid NOT NULL, body text NOT NULL);
                ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
                ALTER TABLE notes FORCE ROW LEVEL SECURITY;
                CREATE POLICY own ON notes
                    USING (user_id = nullif(current_setting('heartguard.user_id', true), '')::uuid);
                GRANT SELECT, INSERT ON notes TO \(configuration.database)_notes;
                """, database: configuration.database)
            var configuration = configuration
            configuration.user = "\(configuration.database)_notes"
            try await PostgresServer.withClient(configuration, body)
        }
    }

    private func note(_ body: String) -> Query {
        "INSERT INTO notes SELECT current_setting('heartguard.user_id')::uuid, \(body)"
    }

    @Test func `sees its own rows and no others`() async throws {
        try await withNotes { postgres in
            try await postgres.execute(note("of Ada"), identity: Self.ada)
            try await postgres.execute(note("of Bob"), identity: Self.bob)

            let ada = try await postgres.rows("SELECT body FROM notes", as: Scalar<String>.self, identity: Self.ada)
            let nobody = try await postgres.rows("SELECT body FROM notes", as: Scalar<String>.self)

            #expect(ada.map(\.value) == ["of Ada"])
            #expect(nobody.isEmpty)
        }
    }

    @Test func `is gone with its transaction, however that ends`() async throws {
        try await withNotes { postgres in
            let current: Query = "SELECT coalesce(current_setting('heartguard.user_id', true), '')"
            try await postgres.transaction(identity: Self.ada) { transaction in
                let inside = try await transaction.first(current, as: Scalar<String>.self)
                #expect(inside?.value.hasSuffix("a") == true)
            }
            #expect(try await postgres.first(current, as: Scalar<String>.self)?.value == "")

            await #expect(throws: PostgresError.self) {
                try await postgres.execute("SELECT 1 / \(0)", identity: Self.ada)
            }
            #expect(try await postgres.first(current, as: Scalar<String>.self)?.value == "")
        }
    }

    @Test func `cannot write a row for somebody else`() async throws {
        try await withNotes { postgres in
            let error = await #expect(throws: PostgresError.self) {
                try await postgres.execute("""
                    INSERT INTO notes VALUES (\(UUID()), \("forged"))
                    """, identity: Self.ada)
            }

            #expect(error?.code == .insufficientPrivilege)
        }
    }

    @Test func `holds for every statement of a batch`() async throws {
        try await withNotes { postgres in
            let results = try await postgres.batch([
                note("one"), note("two"), "SELECT body FROM notes ORDER BY body",
            ], identity: Self.ada)

            #expect(results.map(\.rowsAffected) == [1, 1, 2])
            #expect(try results[2].decode(as: Scalar<String>.self).map(\.value) == ["one", "two"])
        }
    }
}
