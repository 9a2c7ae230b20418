/// Settings that hold for one transaction and are gone with it, such as the user whose rows it may see.
///
/// They are set by `set_config(name, value, true)` in the round trip that begins the transaction, so they cost no
/// waiting, and no identity can stay behind on a connection. Row-level security reads them with `current_setting`.
package struct Identity: Sendable, Hashable {
    let settings: [Setting]

    struct Setting: Sendable, Hashable {
        let name: String
        let value: String
    }

    /// Names have a prefix, as PostgreSQL asks of settings that are not its own: `heartguard.user_id`.
    package init(_ settings: [(String, String)]) {
        self.settings = settings.map { Setting(name: $0.0, value: $0.1) }
    }

    /// Nobody: policies that ask for a user find none.
    package static let none = Identity([])
}

/// What a transaction may do, and what it may see of others.
package struct TransactionMode: Sendable, Hashable {
    package enum Isolation: Sendable, Hashable {
        /// Each statement sees what was committed before it began.
        case readCommitted
        /// All statements see what was committed before the first began. A write to a row that changed since fails
        /// with `.serializationFailure`.
        case repeatableRead
        /// As if transactions ran one after another; any of them may fail with `.serializationFailure`.
        case serializable
    }

    package var isolation: Isolation
    /// The server refuses writes, and a lost connection is never an unknown outcome.
    package var isReadOnly: Bool

    package init(isolation: Isolation = .readCommitted, isReadOnly: Bool = false) {
        self.isolation = isolation
        self.isReadOnly = isReadOnly
    }

    package static let readWrite = TransactionMode()
    package static let readOnly = TransactionMode(isReadOnly: true)

    /// The statement that begins such a transaction.
    var begin: Query {
        switch (isolation, isReadOnly) {
        case (.readCommitted, false): "BEGIN"
        case (.readCommitted, true): "BEGIN READ ONLY"
        case (.repeatableRead, false): "BEGIN ISOLATION LEVEL REPEATABLE READ"
        case (.repeatableRead, true): "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        case (.serializable, false): "BEGIN ISOLATION LEVEL SERIALIZABLE"
        case (.serializable, true): "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY"
        }
    }
}
