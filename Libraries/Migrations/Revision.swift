internal import Crypto

/// One step of the schema: SQL that runs once, in a transaction of its own, and is never edited afterwards.
package struct Revision: Sendable, Hashable {
    package let id: String
    package let name: String
    package let sql: String

    package init(id: String, name: String, sql: String) {
        self.id = id
        self.name = name
        self.sql = sql
    }

    /// The SHA-256 of the SQL in hexadecimal. It is recorded where the revision was applied, so that an edit is noticed.
    package var checksum: String {
        SHA256.hash(data: Array(sql.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
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
