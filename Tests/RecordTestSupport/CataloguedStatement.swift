package import Application
internal import FoundationEssentials
package import Postgres

/// A statement of a service, with sample arguments, whatever its rows are read as.
package struct CataloguedStatement: Sendable, CustomStringConvertible {
    package let query: Query
    package let mode: TransactionMode
    package let declaration: StatementDeclaration
    /// The repository whose table it is of, where several share the declaration.
    let repository: String?
    let columns: @Sendable (Postgres) async throws(PostgresError) -> [ResultColumn]
    /// Reads a row as the statement says; `nil` where nobody reads rows.
    let read: (@Sendable (Row) throws(PostgresError) -> Void)?

    package init<Value>(_ statement: Statement<Value>) {
        self.init(statement, repository: nil, read: nil)
    }

    package init<Value: RowDecodable>(_ statement: Statement<Value>, repository: String? = nil) {
        self.init(statement, repository: repository) { row throws(PostgresError) in _ = try Value(row: row) }
    }

    fileprivate init<Value>(
        _ statement: Statement<Value>, repository: String?, read: (@Sendable (Row) throws(PostgresError) -> Void)?
    ) {
        query = statement.query
        mode = statement.mode
        declaration = statement.declaration
        self.repository = repository
        columns = { postgres throws(PostgresError) in try await postgres.columns(of: statement) }
        self.read = read
    }

    package var description: String { repository.map { "\($0): \(declaration)" } ?? "\(declaration)" }
}

extension PersonalRecords {
    /// What the records are found and listed by.
    package static var statements: [CataloguedStatement] {
        let repository = "\(Self.self)"
        let found: [Statement<Record>] = [
            .find(UUID(), of: UUID(), in: table),
            .list(of: UUID(), after: nil, limit: 1, in: table),
            .list(of: UUID(), after: UUID(), limit: 1, in: table),
        ]
        return found.map { CataloguedStatement($0, repository: repository) }
    }
}

extension RemovableRecords {
    /// What the records are found, listed and taken out by.
    package static var statements: [CataloguedStatement] {
        let removal = Statement<Void>.remove(UUID(), of: UUID(), from: table)
        return Self.findings + [CataloguedStatement(removal, repository: "\(Self.self)", read: nil)]
    }

    private static var findings: [CataloguedStatement] { personal(Self.self) }
}

private func personal<Records: PersonalRecords>(_ records: Records.Type) -> [CataloguedStatement] { records.statements }
