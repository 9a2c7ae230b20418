/// Writes one row of a batch: as many values as the table was said to have columns, in their order.
///
/// The values of one column travel as one array, so the statement's text does not depend on the number of rows. A column
/// that is an array itself cannot be a part of it; `Postgres.copy` writes those.
package struct BatchRow {
    fileprivate var columns: [Column]
    private var next = 0

    fileprivate struct Column {
        var elements: [UInt8] = []
        var count = 0
        var hasNull = false
        var types: (element: UInt32, array: UInt32)?

        /// The form that `PostgresElement.encodeArray` writes.
        var array: [UInt8] {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(elements.count + 20)
            bytes.appendBigEndian(Int32(1))
            bytes.appendBigEndian(Int32(hasNull ? 1 : 0))
            bytes.appendBigEndian(types?.element ?? 0)
            bytes.appendBigEndian(Int32(truncatingIfNeeded: count))
            bytes.appendBigEndian(Int32(1))
            bytes += elements
            return bytes
        }
    }

    fileprivate init(columnCount: Int) {
        columns = [Column](repeating: Column(), count: columnCount)
    }

    /// Writes the next column's value, or NULL.
    package mutating func append<Value: PostgresElement & PostgresCodable>(_ value: Value?) {
        precondition(next < columns.count, "a row has one value a column")
        let types = (Value.postgresType.rawValue, Value.postgresArrayType.rawValue)
        precondition(columns[next].types.map { $0 == types } ?? true, "the values of a column are of one type")
        columns[next].types = types
        columns[next].count += 1
        if let value, !value.isPostgresNull {
            let lengthOffset = columns[next].elements.count
            columns[next].elements.append(contentsOf: [0, 0, 0, 0])
            value.encode(into: &columns[next].elements)
            columns[next].elements.setLength(columns[next].elements.count - lengthOffset - 4, at: lengthOffset)
        } else {
            columns[next].hasNull = true
            columns[next].elements.append(contentsOf: [0xFF, 0xFF, 0xFF, 0xFF])
        }
        next += 1
    }

    /// Of the values that were written.
    fileprivate var bytes: Int { columns.reduce(0) { $0 + $1.elements.count } }

    fileprivate mutating func endRow() {
        precondition(next == columns.count, "a row has one value a column")
        next = 0
    }
}

/// Writes the rows of one batch, and finds those that the server refuses.
struct BatchWriter<Record: Sendable>: Sendable {
    let postgres: Postgres
    let target: TableColumns
    let ignoresConflicts: Bool
    let tier: TimeoutTier
    let encode: @Sendable (inout BatchRow, Record) -> Void

    /// Writes all rows in one transaction. If the server refuses it for a row's sake, writes each half by itself, and so
    /// on down to the row: `k` such rows among `n` take about `2 k log n` statements.
    ///
    /// - Parameter report: what became of which rows; each row is in one range. An error of a range of several rows is
    ///   none of a row but of the connection, the time, the statement.
    func write(
        _ records: ArraySlice<Record>, identity: Identity,
        report: (Range<Int>, Result<Void, PostgresError>) -> Void
    ) async {
        guard !records.isEmpty else { return }
        do throws(PostgresError) {
            try await postgres.execute(statement(records), identity: identity, tier: tier)
            report(records.indices, .success(()))
        } catch {
            guard error.concernsRows, records.count > 1 else { return report(records.indices, .failure(error)) }
            let middle = records.startIndex + records.count / 2
            await write(records[..<middle], identity: identity, report: report)
            await write(records[middle...], identity: identity, report: report)
        }
    }

    /// The bytes of a record's values. Encodes them, which costs less than keeping what is encoded.
    func bytes(of record: Record) -> Int {
        var row = BatchRow(columnCount: target.columns.count)
        encode(&row, record)
        row.endRow()
        return row.bytes
    }

    func statement(_ records: ArraySlice<Record>) -> Query {
        var row = BatchRow(columnCount: target.columns.count)
        for record in records {
            encode(&row, record)
            row.endRow()
        }
        var parameters = Parameters()
        for column in row.columns { parameters.append(column.array, ofType: column.types?.array ?? 0) }
        let numbers = (1...target.columns.count).map { "$\($0)" }.joined(separator: ", ")
        return Query(
            sql: "INSERT INTO \(target.table) (\(target.list)) SELECT * FROM unnest(\(numbers))"
                + (ignoresConflicts ? " ON CONFLICT DO NOTHING" : ""),
            parameters: parameters
        )
    }
}

extension PostgresError {
    /// Whether fewer rows may be taken where these were refused: the error is of a row's content, or of their size.
    var concernsRows: Bool {
        switch code {
        // What the protocol cannot carry, found by this client.
        case .other("54000"): return true
        default: break
        }
        guard let sqlState else { return false }
        // Data exceptions, constraints, the check of a view, errors that functions raise, and row-level security.
        return ["21", "22", "23", "44", "P0"].contains(sqlState.prefix(2)) || sqlState == "42501"
    }
}
