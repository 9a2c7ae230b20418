package import FoundationEssentials
package import Postgres

/// Names a person, whose rows nobody else sees.
package protocol PersonIdentifier: Sendable {
    var personID: UUID { get }
}

extension UUID: PersonIdentifier {
    package var personID: UUID { self }
}

/// One row of a table.
package protocol TableRecord: RowDecodable, Sendable {
    /// The columns that the initialiser reads.
    static var columns: Query { get }
}

/// A table whose rows belong to a person, by its column `user_id`, and have an `id` of their own. Every statement runs as the
/// person whose rows it touches.
package protocol PersonalRecords: Sendable {
    associatedtype Record: TableRecord
    associatedtype Person: PersonIdentifier

    /// Its name, with the schema.
    static var table: Query { get }
    var postgres: Postgres { get }

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: Record, of user: Person) async throws(PostgresError)
}

extension PersonalRecords {
    package func find(_ id: UUID, of user: Person) async throws(PostgresError) -> Record? {
        try await postgres.first(.find(id, of: user.personID, in: Self.table), identity: .user(user.personID))
    }

    /// The newest first, since ids grow with time; behind the one with the id `last`, if one is given.
    package func list(of user: Person, after last: UUID? = nil, limit: Int) async throws(PostgresError) -> [Record] {
        try await postgres.rows(
            .list(of: user.personID, after: last, limit: limit, in: Self.table), identity: .user(user.personID))
    }
}

/// A table whose rows a person may take out again.
package protocol RemovableRecords: PersonalRecords {}

extension RemovableRecords {
    /// `false` if there was none.
    package func remove(_ id: UUID, of user: Person) async throws(PostgresError) -> Bool {
        try await postgres.execute(.remove(id, of: user.personID, from: Self.table), identity: .user(user.personID)) == 1
    }
}

extension Statement where Value: TableRecord {
    package static func find(_ id: UUID, of user: UUID, in table: Query) -> Self {
        .reading("SELECT \(Value.columns) FROM \(table) WHERE user_id = \(user) AND id = \(id)")
    }

    package static func list(of user: UUID, after last: UUID?, limit: Int, in table: Query) -> Self {
        let rest: Query = if let last { "AND id < \(last)" } else { "" }
        return .reading(
            """
            SELECT \(Value.columns) FROM \(table)
            WHERE user_id = \(user) \(rest) ORDER BY id DESC LIMIT \(limit)
            """)
    }
}

extension Statement<Void> {
    package static func remove(_ id: UUID, of user: UUID, from table: Query) -> Self {
        .writing("DELETE FROM \(table) WHERE user_id = \(user) AND id = \(id)")
    }
}
