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

extension Identity {
    /// What a transaction has to be told before its statements.
    struct Preamble: Hashable {
        var limitsTime: Bool
        var refusesWrites: Bool
        var settingCount: Int

        /// `SELECT set_config(…), …`; the limit, if it is told, is the first parameter.
        var text: String {
            var parts = limitsTime ? ["set_config('statement_timeout', $1, true)"] : []
            if refusesWrites { parts.append("set_config('transaction_read_only', 'on', true)") }
            let first = limitsTime ? 2 : 1
            parts += (0..<settingCount).map { "set_config($\(first + $0 * 2), $\(first + $0 * 2 + 1), true)" }
            return "SELECT " + parts.joined(separator: ", ")
        }

        /// Composed once, since every transaction needs one of them.
        static let texts: [Preamble: String] = {
            var texts: [Preamble: String] = [:]
            for (limitsTime, refusesWrites) in [(false, false), (false, true), (true, false), (true, true)] {
                for count in 0...4 {
                    let preamble = Preamble(limitsTime: limitsTime, refusesWrites: refusesWrites, settingCount: count)
                    texts[preamble] = preamble.text
                }
            }
            return texts
        }()
    }

    /// Sets the time limit where there is one, the refusal of writes where it is asked for, and the identity; `nil` if there is
    /// nothing to set.
    func preamble(milliseconds: String?, refusesWrites: Bool) -> Query? {
        guard milliseconds != nil || refusesWrites || !settings.isEmpty else { return nil }
        var parameters = Parameters()
        if let milliseconds { parameters.append(milliseconds) }
        for setting in settings {
            parameters.append(setting.name)
            parameters.append(setting.value)
        }
        let preamble = Preamble(limitsTime: milliseconds != nil, refusesWrites: refusesWrites, settingCount: settings.count)
        return Query(sql: Preamble.texts[preamble] ?? preamble.text, parameters: parameters)
    }
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
    /// May run on a replica, which shows what was committed a moment ago. Only a read-only transaction may.
    package var mayLag: Bool

    package init(isolation: Isolation = .readCommitted, isReadOnly: Bool = false, mayLag: Bool = false) {
        precondition(isReadOnly || !mayLag, "replicas take no writes")
        self.isolation = isolation
        self.isReadOnly = isReadOnly
        self.mayLag = mayLag
    }

    package static let readWrite = TransactionMode()
    package static let readOnly = TransactionMode(isReadOnly: true)
    /// Read-only, and content with a replica where the client has any: for what need not show the caller's last write.
    package static let replica = TransactionMode(isReadOnly: true, mayLag: true)

    /// The statement that begins such a transaction.
    var begin: Query {
        switch (isolation, isReadOnly) {
        // Sessions refuse writes by default.
        case (.readCommitted, false): "BEGIN READ WRITE"
        case (.readCommitted, true): "BEGIN READ ONLY"
        case (.repeatableRead, false): "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE"
        case (.repeatableRead, true): "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        case (.serializable, false): "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
        case (.serializable, true): "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY"
        }
    }
}
