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
    struct Preamble {
        var limitsTime: Bool
        var refusesWrites: Bool
        var settingCount: Int

        /// `SELECT set_config(…), …`; the limit, if it is told, is the first parameter.
        private var composed: String {
            var parts = limitsTime ? ["set_config('statement_timeout', $1, true)"] : []
            if refusesWrites { parts.append("set_config('transaction_read_only', 'on', true)") }
            let first = limitsTime ? 2 : 1
            parts += (0..<settingCount).map { "set_config($\(first + $0 * 2), $\(first + $0 * 2 + 1), true)" }
            return "SELECT " + parts.joined(separator: ", ")
        }

        /// Composed once where there are few settings, since every transaction needs one of them.
        private static let texts: [String] = (0..<20).map { number in
            Preamble(limitsTime: number & 1 != 0, refusesWrites: number & 2 != 0, settingCount: number / 4).composed
        }

        var text: String {
            let number = settingCount * 4 + (refusesWrites ? 2 : 0) + (limitsTime ? 1 : 0)
            return number < Preamble.texts.count ? Preamble.texts[number] : composed
        }
    }

    /// Sets the time limit where there is one, the refusal of writes where it is asked for, and the identity; `nil` if there is
    /// nothing to set.
    func preamble(milliseconds: String?, refusesWrites: Bool) -> Query? {
        guard milliseconds != nil || refusesWrites || !settings.isEmpty else { return nil }
        var parameters = Parameters()
        parameters.reserve(count: settings.count * 2 + (milliseconds == nil ? 0 : 1))
        if let milliseconds { parameters.append(milliseconds) }
        for setting in settings {
            parameters.append(setting.name)
            parameters.append(setting.value)
        }
        let preamble = Preamble(limitsTime: milliseconds != nil, refusesWrites: refusesWrites, settingCount: settings.count)
        return Query(sql: preamble.text, parameters: parameters)
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
        case (.readCommitted, false): Begin.readWrite
        case (.readCommitted, true): Begin.readOnly
        case (.repeatableRead, false): Begin.repeatableReadWrite
        case (.repeatableRead, true): Begin.repeatableReadOnly
        case (.serializable, false): Begin.serializableReadWrite
        case (.serializable, true): Begin.serializableReadOnly
        }
    }

    /// Made once. Sessions refuse writes by default, so who writes says so.
    private enum Begin {
        static let readWrite: Query = "BEGIN READ WRITE"
        static let readOnly: Query = "BEGIN READ ONLY"
        static let repeatableReadWrite: Query = "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE"
        static let repeatableReadOnly: Query = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        static let serializableReadWrite: Query = "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
        static let serializableReadOnly: Query = "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY"
    }
}
