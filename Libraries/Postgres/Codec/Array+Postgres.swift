package import FoundationEssentials
package import Time

/// A value of which an array can be a parameter or a column.
///
/// Separate from `PostgresCodable` because of bytes: `UInt8` is no type of PostgreSQL, yet `[UInt8]` is `bytea`.
package protocol PostgresElement: Sendable {
    static var postgresArrayType: PostgresType { get }
    static func encodeArray(_ elements: [Self], into buffer: inout [UInt8])
    static func decodeArray(_ bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) -> [Self]
}

extension Array: PostgresEncodable where Element: PostgresElement {
    package static var postgresType: PostgresType { Element.postgresArrayType }
    package func encode(into buffer: inout [UInt8]) { Element.encodeArray(self, into: &buffer) }
}

extension Array: PostgresDecodable where Element: PostgresElement {
    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        self = try Element.decodeArray(bytes, type: type)
    }
}

/// The form of `array_send`: dimensions, a flag for NULLs and the element type; per dimension a length and a lower
/// bound; then each element behind its length, which is -1 for NULL.
extension PostgresElement where Self: PostgresCodable {
    package static func encodeArray(_ elements: [Self], into buffer: inout [UInt8]) {
        buffer.appendBigEndian(Int32(elements.isEmpty ? 0 : 1))
        buffer.appendBigEndian(Int32(elements.contains { $0.isPostgresNull } ? 1 : 0))
        buffer.appendBigEndian(postgresType.rawValue)
        guard !elements.isEmpty else { return }
        buffer.appendBigEndian(Int32(truncatingIfNeeded: elements.count))
        buffer.appendBigEndian(Int32(1))
        for element in elements {
            let lengthOffset = buffer.count
            buffer.appendBigEndian(Int32(-1))
            guard !element.isPostgresNull else { continue }
            element.encode(into: &buffer)
            buffer.setLength(buffer.count - lengthOffset - 4, at: lengthOffset)
        }
    }

    package static func decodeArray(_ bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) -> [Self] {
        guard let dimensions = bytes.bigEndian(Int32.self), let element = bytes.bigEndian(UInt32.self, at: 8) else {
            throw .mismatch(type, [Self].self)
        }
        guard dimensions != 0 else { return [] }
        guard dimensions == 1, let count = bytes.bigEndian(Int32.self, at: 12), count >= 0 else {
            throw DecodingFailure("holds an array of more than one dimension")
        }
        // Each element has a length of four bytes, so a count beyond this is a lie that must not reserve memory.
        guard Int(count) <= bytes.count / 4 else { throw .malformed(type) }

        let elementType = PostgresType(rawValue: element)
        var elements: [Self] = []
        elements.reserveCapacity(Int(count))
        var offset = 20
        for _ in 0..<count {
            guard let length = bytes.bigEndian(Int32.self, at: offset) else { throw .malformed(type) }
            offset += 4
            if length < 0 {
                guard let null = postgresNull else {
                    throw DecodingFailure("holds a NULL among its elements, which \(Self.self) cannot be")
                }
                elements.append(null)
            } else {
                guard Int(length) <= bytes.count - offset else { throw .malformed(type) }
                let element = bytes.extracting(offset..<offset + Int(length))
                elements.append(try Self(postgres: element, type: elementType))
                offset += Int(length)
            }
        }
        return elements
    }
}

extension UInt8: PostgresElement {
    package static var postgresArrayType: PostgresType { .bytea }

    package static func encodeArray(_ elements: [UInt8], into buffer: inout [UInt8]) {
        buffer.append(contentsOf: elements)
    }

    package static func decodeArray(_ bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) -> [UInt8] {
        guard type == .bytea else { throw .mismatch(type, [UInt8].self) }
        return unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}

extension Optional: PostgresElement where Wrapped: PostgresElement & PostgresCodable {
    package static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }
}

extension Array: PostgresElement where Element == UInt8 {
    package static var postgresArrayType: PostgresType { .byteaArray }
}

extension Bool: PostgresElement { package static var postgresArrayType: PostgresType { .boolArray } }
extension Int16: PostgresElement { package static var postgresArrayType: PostgresType { .int2Array } }
extension Int32: PostgresElement { package static var postgresArrayType: PostgresType { .int4Array } }
extension Int64: PostgresElement { package static var postgresArrayType: PostgresType { .int8Array } }
extension Int: PostgresElement { package static var postgresArrayType: PostgresType { .int8Array } }
extension Float: PostgresElement { package static var postgresArrayType: PostgresType { .float4Array } }
extension Double: PostgresElement { package static var postgresArrayType: PostgresType { .float8Array } }
extension String: PostgresElement { package static var postgresArrayType: PostgresType { .textArray } }
extension JSONB: PostgresElement { package static var postgresArrayType: PostgresType { .jsonbArray } }
extension UUID: PostgresElement { package static var postgresArrayType: PostgresType { .uuidArray } }
extension Instant: PostgresElement { package static var postgresArrayType: PostgresType { .timestamptzArray } }
extension CivilDate: PostgresElement { package static var postgresArrayType: PostgresType { .dateArray } }
extension Numeric: PostgresElement { package static var postgresArrayType: PostgresType { .numericArray } }

extension PostgresElement where Self: RawRepresentable, RawValue: PostgresElement {
    package static var postgresArrayType: PostgresType { RawValue.postgresArrayType }
}
