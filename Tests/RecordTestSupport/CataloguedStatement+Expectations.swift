internal import FoundationEssentials
package import Postgres
internal import Testing
internal import Time

extension [CataloguedStatement] {
    /// Expects of each that the server can run it as the role that is connected: that it parses and plans it with the types
    /// that are bound, grants what it touches, gives rows that are read as declared, and lets it run in a read-only
    /// transaction if and only if it says that it only reads.
    ///
    /// - Parameters:
    ///   - texts: for columns that are read from texts of a form.
    ///   - bytes: the same for bytes.
    package func expectSound(on postgres: Postgres, texts: [String] = [], bytes: [[UInt8]] = []) async throws {
        let samples = Samples(texts: texts + (try await CataloguedStatement.words(of: postgres)), bytes: bytes)
        for statement in self {
            do throws(PostgresError) {
                for problem in try await statement.problems(on: postgres, samples) {
                    Issue.record("\(statement): \(problem)")
                }
            } catch {
                Issue.record("\(statement): \(error)")
            }
        }
    }
}

extension CataloguedStatement {
    fileprivate func problems(on postgres: Postgres, _ samples: Samples) async throws(PostgresError) -> [String] {
        let columns = try await self.columns(postgres)
        // EXPLAIN checks the role's rights, and runs nothing.
        _ = try await postgres.rows("EXPLAIN \(query)", as: Scalar<String>.self, mode: .readOnly)

        var problems: [String] = []
        let reads = try await isAcceptedReadOnly(by: postgres)
        if reads != mode.isReadOnly {
            problems.append(reads ? "It reads, and says that it writes." : "It writes or locks rows, and says that it reads.")
        }
        if let read {
            problems += [false, true].compactMap {
                SampleRow(columns, samples, startsWithNull: $0).problem(reading: read)
            }
        }
        return problems
    }

    /// Runs it where nothing can be written. The server refuses what writes or locks rows before it begins.
    private func isAcceptedReadOnly(by postgres: Postgres) async throws(PostgresError) -> Bool {
        do throws(PostgresError) {
            _ = try await postgres.rows(query, as: Row.self, mode: .readOnly)
            return true
        } catch where error.sqlState == "25006" {
            return false
        }
    }

    /// The words that the schema allows in columns that hold one of a few.
    fileprivate static func words(of postgres: Postgres) async throws(PostgresError) -> [String] {
        try await postgres.rows(
            """
            SELECT DISTINCT word[1] FROM pg_constraint,
                regexp_matches(pg_get_constraintdef(oid), '''([^'']+)''::text', 'g') AS word
            WHERE contype = 'c' AND connamespace IN (SELECT oid FROM pg_namespace WHERE has_schema_privilege(oid, 'USAGE'))
            ORDER BY 1
            """, as: Scalar<String>.self, mode: .readOnly
        ).map(\.value)
    }
}

/// Values that are tried besides those that every type has.
private struct Samples {
    let texts: [String]
    let bytes: [[UInt8]]
}

/// A row that could be of a result: its columns, and for each the values of its type that are tried in turn until one is read.
private struct SampleRow {
    private let columns: [ResultColumn]
    private let candidates: [[[UInt8]?]]

    init(_ columns: [ResultColumn], _ samples: Samples, startsWithNull: Bool) {
        self.columns = columns
        candidates = columns.map { column in
            let values = Self.values(of: column.type, samples)
            return startsWithNull ? [nil] + values : values + [nil]
        }
    }

    /// Why no row of these columns can be read; `nil` if one was.
    func problem(reading read: (Row) throws(PostgresError) -> Void) -> String? {
        var choice = [Int](repeating: 0, count: columns.count)
        while true {
            let values = zip(candidates, choice).map { $0[$1] }
            guard let row = Row(columns: columns, values: values) else { return "There is no memory for a row." }
            do throws(PostgresError) {
                try read(row)
                return nil
            } catch {
                let name = error.message.split(separator: "“").last?.prefix { $0 != "”" }
                guard let position = columns.firstIndex(where: { $0.name == name ?? "" }),
                    choice[position] + 1 < candidates[position].count
                else { return error.message }
                choice[position] += 1
            }
        }
    }

    private static func values(of type: PostgresType, _ samples: Samples) -> [[UInt8]?] {
        func encoded<Value: PostgresEncodable>(_ values: Value...) -> [[UInt8]?] {
            values.map { value in
                var bytes: [UInt8] = []
                value.encode(into: &bytes)
                return bytes
            }
        }
        switch type {
        case .bool: return encoded(true)
        case .int2: return encoded(Int16(1))
        case .int4: return encoded(Int32(1))
        case .int8: return encoded(Int64(1))
        case .float4: return encoded(Float(1.5))
        case .float8: return encoded(1.5)
        case .numeric: return encoded(Numeric(1))
        case .uuid: return encoded(UUID())
        case .bytea: return [[UInt8](repeating: 0, count: 4)] + samples.bytes
        case .date: return encoded(CivilDate(year: 2_026, month: 11, day: 25))
        case .timestamptz: return encoded(Instant(microsecondsSinceEpoch: 1_800_000_000_000_000))
        case .jsonb: return encoded(JSONB("{}"), JSONB("[]"))
        case .textArray: return encoded(["word"])
        case .text, .varchar: return (["word", "[1]"] + samples.texts).flatMap { encoded($0) }
        // Nothing of ours has such a column yet; NULL shows whether anybody reads it.
        default: return []
        }
    }
}
