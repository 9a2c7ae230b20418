import FoundationEssentials
import TestSupport
import Testing
import Time
@testable import Postgres

// The code of docs/libraries/Postgres.md.

private struct Reading: RowDecodable {
    let id: UUID
    let value: Numeric
    let takenAt: Instant

    static let columns: Query = "id, value, taken_at"

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        value = try row.decode("value")
        takenAt = try row.decode("taken_at")
    }
}

private struct ReadingRepository {
    let postgres: Postgres

    func latest(of user: UUID, limit: Int) async throws(PostgresError) -> [Reading] {
        try await postgres.rows(.latest(of: user, limit: limit), identity: .user(user))
    }

    /// Adds what is new, however often it is sent.
    func add(_ readings: [(id: UUID, value: Numeric, takenAt: Instant)], of user: UUID) async throws(PostgresError) -> Int {
        try await postgres.execute(.add(readings, of: user), identity: .user(user))
    }
}

extension Statement<Reading> {
    fileprivate static func latest(of user: UUID, limit: Int) -> Self {
        .reading("SELECT \(Reading.columns) FROM readings WHERE user_id = \(user) ORDER BY taken_at DESC LIMIT \(limit)")
    }
}

extension Statement<Void> {
    fileprivate static func add(_ readings: [(id: UUID, value: Numeric, takenAt: Instant)], of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO readings (id, user_id, value, taken_at)
            SELECT id, \(user), value, taken_at
            FROM unnest(\(readings.map(\.id)), \(readings.map(\.value)), \(readings.map(\.takenAt))) AS r (id, value, taken_at)
            ON CONFLICT (id) DO NOTHING
            """,
            tier: .normal)
    }
}

extension Identity {
    fileprivate static func user(_ id: UUID) -> Identity {
        Identity([("heartguard.user_id", id.uuidString.lowercased())])
    }
}

@Suite struct `The page about Postgres` {
    @Test func `shows code that works`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            try await postgres.execute(
                "CREATE TABLE readings (id uuid PRIMARY KEY, user_id uuid, value numeric, taken_at timestamptz)"
            )
            let repository = ReadingRepository(postgres: postgres)
            let user = UUIDv7.make()
            let now = Instant.now()
            let readings = try ["72.5", "71.0"].enumerated().map { index, text in
                (id: UUIDv7.make(), value: try #require(Numeric(text)), takenAt: now + .seconds(index))
            }

            let added = try await repository.add(readings, of: user)
            let addedAgain = try await repository.add(readings, of: user)
            let latest = try await repository.latest(of: user, limit: 1)

            #expect(added == 2 && addedAgain == 0)
            #expect(latest.map(\.value.text) == ["71.0"])
            #expect(latest.map(\.takenAt) == [now + .seconds(1)])
        }
    }
}
