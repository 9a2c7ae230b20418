/// One row of a result. Reading copies out of memory that the result owns, so a row may be kept and passed on.
package struct Row: Sendable {
    let result: ResultHandle
    let index: Int

    init(result: ResultHandle, index: Int) {
        self.result = result
        self.index = index
    }

    /// A row that no server sent, for tests of what reads rows: each value in the binary form of its column's type. `nil` without
    /// memory.
    package init?(columns: [ResultColumn], values: [[UInt8]?]) {
        var bytes: [UInt8] = []
        let ranges = values.map { value in
            value.map { value in
                bytes += value
                return bytes.count - value.count..<bytes.count
            }
        }
        guard let result = ResultHandle(columns: columns, rows: [ranges], in: bytes) else { return nil }
        self.init(result: result, index: 0)
    }

    /// The columns' names in their order.
    package var columnNames: [String] { (0..<result.columnCount).map(result.columnName) }

    /// The value of the column with this name, which has to match exactly.
    ///
    /// - Throws: `.decoding` if there is no such column, if it is NULL and `Value` is not optional, or if the column's
    ///   type cannot be read as `Value`. The message names the column and never holds its value.
    package func decode<Value: PostgresDecodable>(
        _ column: String, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard let position = result.position(of: column) else {
            throw PostgresError(.decoding, "The result has no column “\(column)”.")
        }
        return try decode(at: position, as: type)
    }

    /// The value of the column at a position, counted from 0. For queries of one column; others read by name.
    package func decode<Value: PostgresDecodable>(
        at position: Int, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard (0..<result.columnCount).contains(position) else {
            throw PostgresError(.decoding, "The result has no column at position \(position).")
        }
        do throws(DecodingFailure) {
            return try result.decode(row: index, column: position, as: type)
        } catch {
            throw PostgresError(.decoding, "Column “\(result.columnName(position))” \(error.reason).")
        }
    }
}

/// A value that is made from a row. Its initialiser names the columns that the query beside it selects.
package protocol RowDecodable: Sendable {
    init(row: Row) throws(PostgresError)
}

/// The only column of a row: `postgres.first("SELECT count(*) FROM …", as: Scalar<Int>.self)?.value`.
package struct Scalar<Value: PostgresDecodable>: RowDecodable {
    package let value: Value

    package init(row: Row) throws(PostgresError) {
        value = try row.decode(at: 0)
    }
}

/// A row is its own decoding, for what has no type of its own.
extension Row: RowDecodable {
    package init(row: Row) throws(PostgresError) { self = row }
}

/// What one statement of a batch or a transaction gave.
package struct QueryResult: Sendable {
    let result: ResultHandle

    /// The number of rows that were inserted, updated, deleted or selected; 0 for other statements.
    package var rowsAffected: Int { result.rowsAffected }

    package var columns: [ResultColumn] { result.columns }

    package var rows: [Row] { (0..<result.rowCount).map { Row(result: result, index: $0) } }

    package func decode<Value: RowDecodable>(as type: Value.Type) throws(PostgresError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(result.rowCount)
        for index in 0..<result.rowCount { values.append(try Value(row: Row(result: result, index: index))) }
        return values
    }

    package func first<Value: RowDecodable>(as type: Value.Type) throws(PostgresError) -> Value? {
        result.rowCount == 0 ? nil : try Value(row: Row(result: result, index: 0))
    }
}
