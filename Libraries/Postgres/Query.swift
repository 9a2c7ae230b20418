/// A statement and its parameters.
///
/// It is written as one string. Each interpolation becomes a parameter (`$1`, `$2`, …) and travels apart from the text
/// in PostgreSQL's binary form, so there is nothing to escape and no way to splice text into the statement:
///
///     "SELECT id, name FROM users.users WHERE email = \(email)"
///     "INSERT INTO vitals.vitals (id, value) SELECT * FROM unnest(\(ids), \(values))"
///
/// The text is prepared once on each connection and kept by its text, so it should not vary from call to call.
package struct Query: Sendable, ExpressibleByStringInterpolation {
    /// The text with its placeholders.
    package let sql: String
    let parameters: Parameters
    /// Where in `sql` each parameter's `$` stands, in UTF-8 bytes.
    private let placeholders: [Int]

    package init(stringLiteral value: StaticString) {
        sql = value.withUTF8Buffer { unsafe String(decoding: $0, as: UTF8.self) }
        parameters = Parameters()
        placeholders = []
    }

    package init(stringInterpolation: StringInterpolation) {
        sql = stringInterpolation.sql
        parameters = stringInterpolation.parameters
        placeholders = stringInterpolation.placeholders
    }

    /// A statement that this module composes from its own constants.
    init(sql: String, parameters: Parameters = Parameters(), placeholders: [Int] = []) {
        self.sql = sql
        self.parameters = parameters
        self.placeholders = placeholders
    }

    package struct StringInterpolation: StringInterpolationProtocol {
        var sql = ""
        var parameters = Parameters()
        var placeholders: [Int] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            sql.reserveCapacity(literalCapacity + interpolationCount * 3)
            parameters.reserve(count: interpolationCount)
            placeholders.reserveCapacity(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: StaticString) {
            sql += literal.withUTF8Buffer { unsafe String(decoding: $0, as: UTF8.self) }
        }

        /// Binds a value.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
            parameters.append(value)
            appendPlaceholder(parameters.count)
        }

        /// Binds a value or NULL. (Apart from the method above only because the compiler warns of optional values in
        /// interpolations whose parameter is not spelled as one.)
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            parameters.append(value)
            appendPlaceholder(parameters.count)
        }

        /// Puts another query in this place, such as a shared list of columns or an optional condition. Its parameters
        /// take the next numbers.
        package mutating func appendInterpolation(_ part: Query) {
            let bytes = part.sql.utf8
            var index = bytes.startIndex
            for (position, offset) in part.placeholders.enumerated() {
                let dollar = bytes.index(bytes.startIndex, offsetBy: offset)
                sql += part.sql[index..<dollar]
                appendPlaceholder(parameters.count + position + 1)
                index = bytes.index(dollar, offsetBy: 1 + String(position + 1).utf8.count)
            }
            sql += part.sql[index...]
            parameters.append(contentsOf: part.parameters)
        }

        private mutating func appendPlaceholder(_ number: Int) {
            placeholders.append(sql.utf8.count)
            sql += "$\(number)"
        }
    }
}

/// The values of a query in the binary form, one after another in one buffer.
struct Parameters: Sendable {
    private(set) var types: [UInt32] = []
    /// How many of `bytes` each value takes, as libpq wants to be told; `null` for NULL. A value longer than a message may be (1 GiB) is
    /// refused before it is sent.
    private(set) var lengths: [Int32] = []
    private(set) var bytes: [UInt8] = []

    static let null: Int32 = -1

    var count: Int { types.count }

    mutating func reserve(count: Int) {
        guard count > 0 else { return }
        types.reserveCapacity(count)
        lengths.reserveCapacity(count)
        bytes.reserveCapacity(count * 16)
    }

    mutating func append<Value: PostgresEncodable>(_ value: Value) {
        types.append(Value.postgresType.rawValue)
        guard !value.isPostgresNull else { return lengths.append(Parameters.null) }
        let start = bytes.count
        value.encode(into: &bytes)
        lengths.append(Int32(clamping: bytes.count - start))
    }

    /// Appends a value that is in its binary form already.
    mutating func append(_ value: [UInt8], ofType type: UInt32) {
        types.append(type)
        lengths.append(Int32(clamping: value.count))
        bytes += value
    }

    mutating func append(contentsOf other: Parameters) {
        types += other.types
        lengths += other.lengths
        bytes += other.bytes
    }
}
