internal import Postgres

/// An index that is built while its table is in use.
///
/// The server builds it in several transactions of its own, so it can be left half done: an index that is there, is
/// maintained by every write and is used by no query (PostgreSQL manual, "Building Indexes Concurrently").
struct ConcurrentIndex: Sendable {
    let statement: String
    let schema: String
    let name: String

    /// `nil` unless the statement is a `CREATE INDEX CONCURRENTLY name ON schema.table …`.
    init?(_ statement: String) {
        let words = statement.split(whereSeparator: \.isWhitespace)
        let keywords = words.prefix { $0.uppercased() != "CONCURRENTLY" }.map { $0.uppercased() }
        let rest = words.dropFirst(keywords.count + 1)
        guard keywords == ["CREATE", "INDEX"] || keywords == ["CREATE", "UNIQUE", "INDEX"], rest.count > 3,
              let name = rest.first, rest.dropFirst().first?.uppercased() == "ON",
              let table = rest.dropFirst(2).first, table.split(separator: ".").count == 2,
              let schema = table.split(separator: ".").first,
              Self.isPlain(name), Self.isPlain(schema)
        else { return nil }
        self.statement = statement
        self.schema = String(schema)
        self.name = String(name)
    }

    /// Whether a word is a name that needs no quotes, so that it can stand in a statement as it is.
    private static func isPlain(_ word: Substring) -> Bool {
        word.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        } && !word.isEmpty
    }

    enum State: Sendable, Hashable {
        case missing, valid, invalid
    }

    /// Whether the index is there and of use.
    func state(in transaction: Transaction) async throws(PostgresError) -> State {
        let isValid = try await transaction.first(
            """
            SELECT i.indisvalid AND i.indisready FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = \(schema) AND c.relname = \(name)
            """, as: Scalar<Bool>.self)?.value
        return isValid.map { $0 ? .valid : .invalid } ?? .missing
    }

    var removal: String { "DROP INDEX CONCURRENTLY IF EXISTS \(schema).\(name)" }
}
