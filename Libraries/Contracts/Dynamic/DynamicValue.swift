/// One value of a field.
enum DynamicValue {
    case signed(FieldSchema.Kind, Int64)
    case unsigned(FieldSchema.Kind, UInt64)
    case float(Float)
    case double(Double)
    case bool(Bool)
    case string(String)
    case bytes([UInt8])
    case enumeration(Int32)
    case message(DynamicMessage)

    /// A value of a kind that is not length-delimited, from its bits on the wire.
    init?(_ kind: FieldSchema.Kind, bits: UInt64) {
        switch kind {
        case .double: self = .double(Double(bitPattern: bits))
        case .float: self = .float(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
        case .bool: self = .bool(bits != 0)
        case .enumeration: self = .enumeration(Int32(truncatingIfNeeded: bits))
        case .int64, .sfixed64: self = .signed(kind, Int64(bitPattern: bits))
        case .int32, .sfixed32: self = .signed(kind, Int64(Int32(truncatingIfNeeded: bits)))
        case .sint32, .sint64: self = .signed(kind, Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1))
        case .uint64, .fixed64: self = .unsigned(kind, bits)
        case .uint32, .fixed32: self = .unsigned(kind, UInt64(UInt32(truncatingIfNeeded: bits)))
        case .string, .bytes, .message, .group: return nil
        }
    }
}
