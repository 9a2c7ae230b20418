import FoundationEssentials
import TestSupport
import Testing
import Time
@testable import Postgres

@Suite struct `A value` {
    @Test func `of every type comes back from the server as it went`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            try await expectUnchanged([true, false], postgres)
            try await expectUnchanged([Int16.min, -1, 0, 1, .max], postgres)
            try await expectUnchanged([Int32.min, -1, 0, 1, .max], postgres)
            try await expectUnchanged([Int64.min, -1, 0, 1, .max], postgres)
            try await expectUnchanged([Int.min, .max], postgres)
            let floats = [0, -0.5, .greatestFiniteMagnitude, .leastNonzeroMagnitude, Float.infinity]
            try await expectUnchanged(floats, postgres)
            let doubles = [0.1, .greatestFiniteMagnitude, .leastNonzeroMagnitude, -Double.infinity]
            try await expectUnchanged(doubles, postgres)
            let long = String(repeating: "x", count: 100_000)
            try await expectUnchanged(["", "O'Hara \\ \"$1\" %s", "naïve 心 🫀", long], postgres)
            let bytes: [[UInt8]] = [[], [0], Array(0...255), [UInt8](repeating: 0, count: 100_000)]
            try await expectUnchanged(bytes, postgres)
            try await expectUnchanged([UUID(), UUIDv7.make()], postgres)
            try await expectUnchanged(["1969-12-31T23:59:59.999999Z", "1999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z"]
                .compactMap(Instant.init(rfc3339:)), postgres)
            try await expectUnchanged(["0001-01-01", "2000-02-29", "9999-12-31"].compactMap { CivilDate($0) }, postgres)
            try await expectUnchanged([
                "0", "72.50", "-0.001", "10000", "0.00000000000000000001", "123456789012345678901234567890.5",
                "10000000000000000", "1.0", "0.00", "NaN", "Infinity", "-Infinity",
            ].compactMap { Numeric($0) }, postgres)
            try await expectUnchanged([JSONB(#"{"a": [1, null, "ü"]}"#)], postgres)
            try await expectUnchanged([Metric.heartRate], postgres)
        }
    }

    /// Sends each value alone, as an optional, and all of them as an array without and with a NULL.
    private func expectUnchanged<Value: PostgresCodable & PostgresElement & Equatable>(
        _ values: [Value], _ postgres: Postgres, at location: SourceLocation = #_sourceLocation
    ) async throws {
        for value in values {
            let row = try #require(await postgres.first("SELECT \(value) AS v, \(nil as Value?) AS n", as: Row.self))
            #expect(try row.decode("v", as: Value.self) == value, sourceLocation: location)
            #expect(try row.decode("v", as: Value?.self) == value, sourceLocation: location)
            #expect(try row.decode("n", as: Value?.self) == nil, sourceLocation: location)
        }
        let holed: [Value?] = values + [nil]
        let row = try #require(await postgres.first("SELECT \(values) AS a, \(holed) AS h, \([Value]()) AS e", as: Row.self))
        #expect(try row.decode("a", as: [Value].self) == values, sourceLocation: location)
        #expect(try row.decode("h", as: [Value?].self) == holed, sourceLocation: location)
        #expect(try row.decode("e", as: [Value].self) == [], sourceLocation: location)
    }

    @Test func `means to the server what it means here`() async throws {
        let server = try await PostgresServer.shared
        let instant = try #require(Instant(rfc3339: "2026-02-21T08:30:00.123456Z"))
        let date = try #require(CivilDate("2026-02-21"))
        let id = UUIDv7.make()
        try await server.withPostgres { postgres in
            let texts = try await postgres.first("""
                SELECT array[
                    to_char(\(instant) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), \(date)::text, \(id)::text,
                    \(Numeric("-1234567.00010"))::text, \(JSONB(#"{"b":1}"#))->>'b', \([UInt8]([222, 173]))::text,
                    \([Float(1.5), 2])::text, \(["a,b", "{}"])::text
                ]
                """, as: Scalar<[String]>.self)

            #expect(texts?.value == [
                "2026-02-21T08:30:00.123456", "2026-02-21", id.uuidString.lowercased(), "-1234567.00010", "1", "\\xdead",
                "{1.5,2}", #"{"a,b","{}"}"#,
            ])
        }
    }

    @Test func `of an enum, a domain and a smaller integer is read as what it is over`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            try await postgres.batch([
                "CREATE TYPE mood AS ENUM ('calm', 'tense')", "CREATE DOMAIN percent AS int2 CHECK (value <= 100)",
            ])

            let row = try #require(await postgres.first("SELECT 'calm'::mood AS m, 7::percent AS p, 5::int2 AS s", as: Row.self))

            #expect(try row.decode("m", as: String.self) == "calm")
            #expect(try row.decode("p", as: Int16.self) == 7)
            #expect(try row.decode("s", as: Int64.self) == 5)
        }
    }

    @Test func `that does not fit its column's type is an error that does not hold it`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            let row = try #require(await postgres.first(
                "SELECT 'secret'::text AS t, NULL::int8 AS n, 70000::int4 AS i, 'infinity'::timestamptz AS z, ARRAY[[1]] AS d",
                as: Row.self
            ))

            expectDecodingError("“t” is of type text") { () throws(PostgresError) in _ = try row.decode("t", as: Int.self) }
            expectDecodingError("“n” is NULL") { () throws(PostgresError) in _ = try row.decode("n", as: Int.self) }
            expectDecodingError("does not fit") { () throws(PostgresError) in _ = try row.decode("i", as: Int16.self) }
            expectDecodingError("infinity") { () throws(PostgresError) in _ = try row.decode("z", as: Instant.self) }
            expectDecodingError("one dimension") { () throws(PostgresError) in _ = try row.decode("d", as: [Int32].self) }
            expectDecodingError("no column “x”") { () throws(PostgresError) in _ = try row.decode("x", as: Int.self) }
        }
    }

    @Test func `that is later than any instant is an error and no trap`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            let row = try #require(await postgres.first(
                "SELECT '294276-12-31 23:59:59.999999+00'::timestamptz AS z, '4714-11-24 00:00:00+00 BC'::timestamptz AS first",
                as: Row.self))

            expectDecodingError("later than any instant") { () throws(PostgresError) in _ = try row.decode("z", as: Instant.self) }
            #expect(try row.decode("first", as: Instant.self).microsecondsSinceEpoch == -210_866_803_200_000_000)
        }
    }

    private func expectDecodingError(_ part: String, _ read: () throws(PostgresError) -> Void) {
        do throws(PostgresError) {
            try read()
            Issue.record("nothing was thrown, though the message should contain \(part)")
        } catch {
            #expect(error.code == .decoding)
            #expect(error.message.contains(part) && !error.message.contains("secret"))
        }
    }
}

private enum Metric: String, PostgresCodable, PostgresElement {
    case heartRate = "heart_rate"
}

@Suite struct `A numeric` {
    @Test(arguments: ["", "-", ".5", "5.", "1e3", "+1", "1,5", "0x1", " 1", "1.2.3", "١"])
    func `is not made of anything else`(text: String) {
        #expect(Numeric(text) == nil)
    }
}
