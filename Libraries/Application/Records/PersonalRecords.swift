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
        try await postgres.first(
            "SELECT \(Record.columns) FROM \(Self.table) WHERE user_id = \(user.personID) AND id = \(id)",
            as: Record.self, identity: .user(user.personID), mode: .readOnly)
    }

    /// The newest first, since ids grow with time; behind the one with the id `last`, if one is given.
    package func list(of user: Person, after last: UUID? = nil, limit: Int) async throws(PostgresError) -> [Record] {
        let rest: Query = if let last { "AND id < \(last)" } else { "" }
        return try await postgres.rows(
            """
            SELECT \(Record.columns) FROM \(Self.table)
            WHERE user_id = \(user.personID) \(rest) ORDER BY id DESC LIMIT \(limit)
            """,
            as: Record.self, identity: .user(user.personID), mode: .readOnly)
    }
}

/// A table whose rows a person may take out again.
package protocol RemovableRecords: PersonalRecords {}

extension RemovableRecords {
    /// `false` if there was none.
    package func remove(_ id: UUID, of user: Person) async throws(PostgresError) -> Bool {
        try await postgres.execute(
            "DELETE FROM \(Self.table) WHERE user_id = \(user.personID) AND id = \(id)", identity: .user(user.personID)) == 1
    }
}
