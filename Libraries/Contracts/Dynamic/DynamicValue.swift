/// One value of a field, with the way that its kind has on the wire.
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

    /// What a field without presence leaves off the wire.
    var isDefault: Bool {
        switch self {
        case .signed(_, let number): number == 0
        case .unsigned(_, let number): number == 0
        // Minus zero is not the default.
        case .float(let number): number.bitPattern == 0
        case .double(let number): number.bitPattern == 0
        case .bool(let flag): !flag
        case .string(let text): text.isEmpty
        case .bytes(let bytes): bytes.isEmpty
        case .enumeration(let number): number == 0
        case .message: false
        }
    }

    var wireType: Int {
        switch self {
        case .signed(let kind, _), .unsigned(let kind, _):
            switch kind {
            case .fixed64, .sfixed64: 1
            case .fixed32, .sfixed32: 5
            default: 0
            }
        case .float: 5
        case .double: 1
        case .bool, .enumeration: 0
        case .string, .bytes, .message: 2
        }
    }

    /// Writes the value without its tag.
    func write(to writer: inout WireWriter) {
        switch self {
        case .signed(let kind, let number):
            switch kind {
            case .sfixed64: writer.fixed(UInt64(bitPattern: number), byteCount: 8)
            case .sfixed32: writer.fixed(UInt64(bitPattern: number), byteCount: 4)
            case .sint32, .sint64: writer.varint(UInt64(bitPattern: number << 1 ^ number >> 63))
            default: writer.varint(UInt64(bitPattern: number))
            }
        case .unsigned(let kind, let number):
            switch kind {
            case .fixed64: writer.fixed(number, byteCount: 8)
            case .fixed32: writer.fixed(number, byteCount: 4)
            default: writer.varint(number)
            }
        case .float(let number): writer.fixed(UInt64(number.bitPattern), byteCount: 4)
        case .double(let number): writer.fixed(number.bitPattern, byteCount: 8)
        case .bool(let flag): writer.varint(flag ? 1 : 0)
        case .enumeration(let number): writer.varint(UInt64(bitPattern: Int64(number)))
        case .string(let text): writer.counted(Array(text.utf8))
        case .bytes(let bytes): writer.counted(bytes)
        case .message(let message): writer.counted(message.serialized)
        }
    }
}
