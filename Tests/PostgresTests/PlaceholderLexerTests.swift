import TestSupport
import Testing
@testable import Postgres

/// Ported text, and what is to become of it.
private struct PortedCase: Sendable, CustomTestStringConvertible {
    let text: String
    let sql: String
    let count: Int
    var testDescription: String { text }

    init(_ text: String, _ sql: String, _ count: Int) { (self.text, self.sql, self.count) = (text, sql, count) }
}

private let corpus: [PortedCase] = [
    // Plain placeholders
    .init("SELECT %s", "SELECT $1", 1),
    .init("SELECT %s, %s::uuid", "SELECT $1, $2::uuid", 2),
    .init("a = ANY(%s) AND b=%s", "a = ANY($1) AND b=$2", 2),
    .init("VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)", "VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)", 11),
    .init("SELECT ''%s", "SELECT ''$1", 1),
    .init("x->>%s", "x->>$1", 1),
    .init("%s", "$1", 1),
    .init("é = %s", "é = $1", 1),
    .init("id = %(id)s OR parent = %(id)s", "id = $1 OR parent = $2", 2),
    // String constants
    .init("LIKE 'a%s'", "LIKE 'a%s'", 0),
    .init("LIKE '%s' AND b = %s", "LIKE '%s' AND b = $1", 1),
    .init("'it''s %s' || %s", "'it''s %s' || $1", 1),
    .init("'back\\' || %s", "'back\\' || $1", 1),
    .init("E'quote\\' %s' || %s", "E'quote\\' %s' || $1", 1),
    .init("e'\\\\' || %s", "e'\\\\' || $1", 1),
    .init("E'a''%s' || %s", "E'a''%s' || $1", 1),
    .init("E'a'\n'\\'%s' || %s", "E'a'\n'\\'%s' || $1", 1),
    .init("E'a'\n-- it's\n'\\'%s' || %s", "E'a'\n-- it's\n'\\'%s' || $1", 1),
    .init("E'a' '\\' || %s", "E'a' '\\' || $1", 1),
    .init("nameE'a\\' || %s", "nameE'a\\' || $1", 1),
    .init("U&'\\0041%s' || %s", "U&'\\0041%s' || $1", 1),
    .init("B'1' || %s", "B'1' || $1", 1),
    .init("format('%s %I', %s)", "format('%s %I', $1)", 1),
    .init("to_char(t, 'HH24:MI') = %s", "to_char(t, 'HH24:MI') = $1", 1),
    // Doubled percent signs
    .init("LIKE 'a%%' AND b = %s", "LIKE 'a%' AND b = $1", 1),
    .init("'%%s' || %s", "'%s' || $1", 1),
    .init("a %% 10 = %s", "a % 10 = $1", 1),
    .init("a %%s", "a %s", 0),
    .init("'%%%%'", "'%%'", 0),
    .init("'%%%s'", "'%%s'", 0),
    // Comments
    .init("SELECT 1 -- isn't it %s\n, %s", "SELECT 1 -- isn't it %s\n, $1", 1),
    .init("SELECT /* %s /* ' */ %s */ %s", "SELECT /* %s /* ' */ %s */ $1", 1),
    .init("SELECT 1 -- %s", "SELECT 1 -- %s", 0),
    .init("SELECT 5 - -%s", "SELECT 5 - -$1", 1),
    .init("SELECT 6 / %s", "SELECT 6 / $1", 1),
    .init("-- 100%%\n%s", "-- 100%%\n$1", 1),
    // Quoted identifiers
    .init("\"%s\" = %s", "\"%s\" = $1", 1),
    .init("\"a\"\"%s\" = %s", "\"a\"\"%s\" = $1", 1),
    .init("\"it's\" = %s", "\"it's\" = $1", 1),
    // Dollar quotes
    .init("$$ %s ' $$ || %s", "$$ %s ' $$ || $1", 1),
    .init("$f$ $$ %s $g$ $f$ || %s", "$f$ $$ %s $g$ $f$ || $1", 1),
    .init("a$b$ = %s", "a$b$ = $1", 1),
    .init("$é$ %s $é$, %s", "$é$ %s $é$, $1", 1),
    .init("'$$' || %s || '$$'", "'$$' || $1 || '$$'", 1),
    // Operators
    .init("a % b", "a % b", 0),
    .init("a %salary", "a %salary", 0),
    .init("a %(b + 1) = %s", "a %(b + 1) = $1", 1),
    .init("a %(b)", "a %(b)", 0),
    .init("name %> %s", "name %> $1", 1),
    .init("name <% %s", "name <% $1", 1),
    .init("doc ? 'key' AND doc ?| %s", "doc ? 'key' AND doc ?| $1", 1),
    .init("1e5 + %s", "1e5 + $1", 1),
    .init("a::%s", "a::$1", 1),
    .init("100%", "100%", 0),
    // Without placeholders, the server's own form is left alone.
    .init("SELECT $1, '$2'", "SELECT $1, '$2'", 0),
    .init("", "", 0),
]

@Suite struct `The lexer of ported SQL` {
    @Test(arguments: corpus) fileprivate func `finds the placeholders and nothing else`(example: PortedCase) throws {
        let output = try PlaceholderLexer.convert(example.text)

        #expect(output.sql == example.sql)
        #expect(output.names.count == example.count)
        for (index, offset) in output.offsets.enumerated() {
            let rest = String(decoding: Array(output.sql.utf8)[offset...], as: UTF8.self)
            #expect(rest.hasPrefix("$\(index + 1)"))
        }
    }

    @Test(arguments: [
        ("SELECT 'a", PlaceholderLexer.Failure.Reason.string, 7), ("E'a\\'", .string, 1), ("\"a", .identifier, 0),
        ("/* /* */", .comment, 0), ("x $q$ %s $Q$", .dollarQuote, 2), ("$1 + %s", .parameter, 0),
        ("%s + %(a)s", .mixture, 0),
    ]) func `refuses what has no certain meaning`(text: String, reason: PlaceholderLexer.Failure.Reason, offset: Int) {
        #expect(throws: PlaceholderLexer.Failure(reason: reason, offset: offset)) { try PlaceholderLexer.convert(text) }
    }

    @Test func `comes to an end with any text`() {
        let pieces = ["%s", "%%", "'", "\"", "E'", "$$", "$a$", "/*", "*/", "--", "\n", "\\", "x", " ", "%(a)s", "$1", "é"]
        for _ in 0..<3_000 {
            let text = (0..<Int.random(in: 0..<12)).compactMap { _ in pieces.randomElement() }.joined()

            // Whether it is refused is the other tests' subject.
            let output = try? PlaceholderLexer.convert(text)

            #expect(output?.offsets.count == output?.names.count)
        }
    }

    @Test func `makes statements that the server understands`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            let unnamed = try Query(
                ported: "SELECT ('a%s' LIKE 'a%%' AND 7 %% 4 = %s AND E'\\'' = %s AND $$%s$$ = '%s') -- %s",
                [3, "'"]
            )
            let named = try Query(ported: "SELECT %(a)s || %(b)s || %(a)s", named: ["a": "x", "b": "y"])

            let holds = try await postgres.first(unnamed, as: Scalar<Bool>.self)
            let joined = try await postgres.first("SELECT \("<") || (\(named))", as: Scalar<String>.self)

            #expect(holds?.value == true)
            #expect(joined?.value == "<xyx")
            #expect(throws: PostgresError.self) { try Query(ported: "SELECT %s", []) }
            #expect(throws: PostgresError.self) { try Query(ported: "SELECT %(a)s", named: [:]) }
        }
    }
}
