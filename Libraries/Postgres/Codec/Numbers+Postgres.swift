extension Bool: PostgresCodable {
    package static var postgresType: PostgresType { .bool }

    package func encode(into buffer: inout [UInt8]) { buffer.append(self ? 1 : 0) }

    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        guard type == .bool else { throw .mismatch(type, Bool.self) }
        guard bytes.count == 1 else { throw .malformed(type) }
        self = bytes[0] != 0
    }
}

extension Int16: PostgresCodable {
    package static var postgresType: PostgresType { .int2 }
    package func encode(into buffer: inout [UInt8]) { buffer.appendBigEndian(self) }
    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        self = try decodeInteger(bytes, type)
    }
}

extension Int32: PostgresCodable {
    package static var postgresType: PostgresType { .int4 }
    package func encode(into buffer: inout [UInt8]) { buffer.appendBigEndian(self) }
    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        self = try decodeInteger(bytes, type)
    }
}

extension Int64: PostgresCodable {
    package static var postgresType: PostgresType { .int8 }
    package func encode(into buffer: inout [UInt8]) { buffer.appendBigEndian(self) }
    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        self = try decodeInteger(bytes, type)
    }
}

/// `Int` is `int8`; a smaller column takes it by PostgreSQL's assignment cast, which refuses what does not fit.
extension Int: PostgresCodable {
    package static var postgresType: PostgresType { .int8 }
    package func encode(into buffer: inout [UInt8]) { buffer.appendBigEndian(Int64(self)) }
    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        self = try decodeInteger(bytes, type)
    }
}

/// Reads an integer of any width into any that holds its value.
private func decodeInteger<Integer: FixedWidthInteger>(
    _ bytes: Span<UInt8>, _ type: PostgresType
) throws(DecodingFailure) -> Integer {
    let value: Int64?
    let width: Int
    switch type {
    case .int2: (value, width) = (bytes.bigEndian(Int16.self).map(Int64.init), 2)
    case .int4: (value, width) = (bytes.bigEndian(Int32.self).map(Int64.init), 4)
    case .int8: (value, width) = (bytes.bigEndian(Int64.self), 8)
    case .oid: (value, width) = (bytes.bigEndian(UInt32.self).map(Int64.init), 4)
    default: throw .mismatch(type, Integer.self)
    }
    guard let value, bytes.count == width else { throw .malformed(type) }
    guard let integer = Integer(exactly: value) else {
        throw DecodingFailure("holds a value of type \(type) that does not fit into \(Integer.self)")
    }
    return integer
}

extension Float: PostgresCodable {
    package static var postgresType: PostgresType { .float4 }

    package func encode(into buffer: inout [UInt8]) { buffer.appendBigEndian(bitPattern) }

    /// Only from `float4`: a `float8` could lose digits unseen.
    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        guard type == .float4 else { throw .mismatch(type, Float.self) }
        guard bytes.count == 4, let bits = bytes.bigEndian(UInt32.self) else { throw .malformed(type) }
        self = Float(bitPattern: bits)
    }
}

extension Double: PostgresCodable {
    package static var postgresType: PostgresType { .float8 }

    package func encode(into buffer: inout [UInt8]) { buffer.appendBigEndian(bitPattern) }

    package init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        switch type {
        case .float4: self = Double(try Float(postgres: bytes, type: type))
        case .float8:
            guard bytes.count == 8, let bits = bytes.bigEndian(UInt64.self) else { throw .malformed(type) }
            self = Double(bitPattern: bits)
        default: throw .mismatch(type, Double.self)
        }
    }
}
