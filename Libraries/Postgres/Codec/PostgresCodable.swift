/// A value that can be a parameter of a query.
///
/// A raw-representable type over one that can needs only to name the protocol:
/// `enum Metric: String, PostgresEncodable, PostgresDecodable { … }`.
package protocol PostgresEncodable: Sendable {
    /// The type that the server is told. It never depends on the value.
    static var postgresType: PostgresType { get }
    var isPostgresNull: Bool { get }
    /// Appends the binary form that `postgresType`'s receive function reads. Not called when the value is NULL.
    func encode(into buffer: inout [UInt8])
}

/// A value that can be read from a column.
package protocol PostgresDecodable: Sendable {
    /// What a NULL becomes; `nil` if a NULL is an error, which is so for all but `Optional`.
    static var postgresNull: Self? { get }
    /// Reads the binary form of `type`. Copies what it keeps.
    init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure)
}

package typealias PostgresCodable = PostgresEncodable & PostgresDecodable

/// Why a field could not be read. `Row` adds the column's name.
package struct DecodingFailure: Error, Sendable {
    /// The rest of a sentence that begins with the column; never contains the value.
    package let reason: String

    package init(_ reason: String) { self.reason = reason }

    static func mismatch(_ type: PostgresType, _ wanted: Any.Type) -> DecodingFailure {
        DecodingFailure("is of type \(type) and cannot be read as \(wanted)")
    }

    static func malformed(_ type: PostgresType) -> DecodingFailure {
        DecodingFailure("does not hold a well-formed \(type)")
    }
}

extension PostgresEncodable {
    package var isPostgresNull: Bool { false }
}

extension PostgresDecodable {
    package static var postgresNull: Self? { nil }
}

extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    package static var postgresType: PostgresType { RawValue.postgresType }
    package func encode(into buffer: inout [UInt8]) { rawValue.encode(into: &buffer) }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        guard let value = Self(rawValue: try RawValue(postgres: bytes, type: type)) else {
            throw DecodingFailure("holds a value that is no \(Self.self)")
        }
        self = value
    }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package static var postgresType: PostgresType { Wrapped.postgresType }
    package var isPostgresNull: Bool { self?.isPostgresNull ?? true }
    package func encode(into buffer: inout [UInt8]) { self?.encode(into: &buffer) }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static var postgresNull: Self? { .some(.none) }
    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        self = .some(try Wrapped(postgres: bytes, type: type))
    }
}
