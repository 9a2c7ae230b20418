internal import Crypto
internal import Time

/// One step of the schema: SQL that runs once and is never edited afterwards, and the SQL that takes it back.
package struct Revision: Sendable, Hashable {
    package enum Execution: Sendable, Hashable {
        /// All statements and the record of them in one transaction.
        case oneTransaction
        /// `CREATE INDEX CONCURRENTLY` and nothing else, a statement at a time, while the tables are in use. An index that
        /// is there is kept, and one that an interrupted run left invalid is made anew.
        case concurrentIndexes
    }

    package let id: String
    package let name: String
    /// The way up.
    package let sql: String
    /// The way down, one transaction; `nil` if there is none.
    package let down: String?
    package let execution: Execution

    package init(id: String, name: String, sql: String, down: String? = nil, execution: Execution = .oneTransaction) {
        self.id = id
        self.name = name
        self.sql = sql
        self.down = down
        self.execution = execution
    }

    /// A file holds the way up and then, behind a line that begins with `-- Down`, the way down.
    package init(id: String, name: String, file: String, execution: Execution = .oneTransaction) {
        let lines = file.split(separator: "\n", omittingEmptySubsequences: false)
        let up = lines.prefix { !$0.hasPrefix("-- Down") }
        let down = lines.dropFirst(up.count + 1).joined(separator: "\n")
        self.init(
            id: id, name: name, sql: up.joined(separator: "\n"), down: up.count < lines.count ? down : nil,
            execution: execution)
    }

    /// The SHA-256 of the way up in hexadecimal. It is recorded where the revision was applied, so that an edit is noticed.
    package var checksum: String {
        SHA256.hash(data: Array(sql.utf8)).hexadecimal
    }
}

/// All revisions, oldest first. Each builds on all before it.
package struct MigrationChain: Sendable, Hashable {
    package let revisions: [Revision]

    package init(revisions: [Revision]) {
        precondition(
            Set(revisions.map(\.id)).count == revisions.count, "every revision of a chain has an id of its own"
        )
        self.revisions = revisions
    }
}
