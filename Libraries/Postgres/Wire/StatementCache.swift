/// Which statements one session has prepared: at most `capacity`, the one used longest ago gives way.
///
/// A value without I/O: it says what to send, and is told what the server answered.
struct StatementCache {
    struct Key: Hashable {
        let sql: String
        let types: [UInt32]

        /// Of the text only its length and sixteen of its bytes are hashed: a look-up stands before every statement, and a
        /// session's few texts seldom agree in all of these. Where they do, equality tells them apart, which compares all of it.
        func hash(into hasher: inout Hasher) {
            var text = sql
            text.withUTF8 { bytes in
                hasher.combine(bytes.count)
                let step = max(1, bytes.count / Key.hashedBytes)
                var sample: UInt64 = 0
                var place = 0
                for _ in 0..<Key.hashedBytes where place < bytes.count {
                    sample = unsafe (sample << 5 | sample >> 59) ^ UInt64(bytes[place])
                    place += step
                }
                hasher.combine(sample)
            }
            hasher.combine(types.count)
        }

        private static let hashedBytes = 16
    }

    enum Lookup: Equatable {
        case prepared(name: String)
        /// Prepare it under this name in the same pipeline.
        case missing(name: String)
    }

    private struct Entry {
        let name: String
        var lastUse: Int
    }

    private let capacity: Int
    private let suffix: String
    private var entries: [Key: Entry] = [:]
    private var useCount = 0
    private var nameCount = 0
    /// Names that the server still holds though nothing refers to them.
    private(set) var discarded: [String] = []

    /// - Parameter suffix: what the session's names end with. Behind a pooler that lends the server's sessions to many clients, a
    ///   name that two of them use would run one's statement for the other.
    init(capacity: Int, suffix: String = "") {
        precondition(capacity > 0)
        self.capacity = capacity
        self.suffix = suffix
    }

    var count: Int { entries.count }

    /// The statement's name. A missing one counts as prepared from now on; call `remove` if it fails.
    mutating func lookUp(_ key: Key) -> Lookup {
        useCount += 1
        if let index = entries.index(forKey: key) {
            entries.values[index].lastUse = useCount
            return .prepared(name: entries.values[index].name)
        }
        // Found by a walk over all entries, which is paid only where a statement is prepared, a matter of a round trip's
        // worth of parsing.
        if entries.count >= capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            discard(oldest.key)
        }
        nameCount += 1
        let name = "s\(nameCount)\(suffix)"
        entries[key] = Entry(name: name, lastUse: useCount)
        return .missing(name: name)
    }

    /// Preparing failed: the server does not know the statement.
    mutating func remove(_ key: Key) { entries[key] = nil }

    /// The statement is out of date: it has to be prepared anew under another name.
    mutating func discard(_ key: Key) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        discarded.append(entry.name)
    }

    /// The server has deallocated the statement.
    mutating func deallocated(_ name: String) { discarded.removeAll { $0 == name } }

    /// The session has lost all its statements.
    mutating func removeAll() {
        entries.removeAll()
        discarded.removeAll()
    }
}
