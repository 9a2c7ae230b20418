/// One message.
final class MessageSchema: Sendable {
    let fullName: String
    /// In the order of their numbers.
    let fields: [FieldSchema]
    /// Whether it is the entry of a map, with the key in field 1 and the value in field 2.
    let isMapEntry: Bool
    /// The form of its own that it has in JSON, if it has one.
    let wellKnown: WellKnownType?
    /// For each of the low numbers, which nearly all are, the place among the fields; -1 for none.
    private let placeByLowNumber: [Int]
    private let placeByNumber: [Int: Int]
    private let placeByName: [String: Int]

    init(fullName: String, fields: [FieldSchema], isMapEntry: Bool) {
        self.fullName = fullName
        self.fields = fields.sorted { $0.number < $1.number }
        self.isMapEntry = isMapEntry
        wellKnown = WellKnownType(fullName)
        var byNumber: [Int: Int] = [:]
        var byName: [String: Int] = [:]
        for (place, field) in self.fields.enumerated() {
            byNumber[field.number] = place
            byName[field.name] = place
            byName[field.jsonName] = place
        }
        placeByNumber = byNumber
        placeByName = byName
        placeByLowNumber = (0..<32).map { byNumber[$0] ?? -1 }
    }

    /// The place of a field among the fields, by its number.
    func place(_ number: Int) -> Int? {
        guard number >= placeByLowNumber.count else { return placeByLowNumber[number] < 0 ? nil : placeByLowNumber[number] }
        return placeByNumber[number]
    }

    func field(_ number: Int) -> FieldSchema? { place(number).map { fields[$0] } }

    /// The place of a field among the fields, by its name in the contract's spelling or in JSON's.
    func place(named name: String) -> Int? { placeByName[name] }

    func field(named name: String) -> FieldSchema? { place(named: name).map { fields[$0] } }
}

/// One field of a message.
final class FieldSchema: Sendable {
    /// The numbers of google.protobuf.FieldDescriptorProto.Type.
    enum Kind: Int, Sendable {
        case double = 1, float, int64, uint64, int32, fixed64, fixed32, bool, string, group, message, bytes, uint32
        case enumeration, sfixed32, sfixed64, sint32, sint64
    }

    /// What a contract says of a field.
    struct Traits: Sendable {
        var name: String
        var jsonName: String
        var number: Int
        var kind: Kind
        /// The full name of the message or enum.
        var typeName: String
        var isRepeated: Bool
        /// Whether an unset field differs from one set to its default: messages, `optional`, members of a oneof.
        var hasPresence: Bool
        /// The oneof that the field is a member of; nil for `optional` fields, whose oneof is not in the contract.
        var oneof: Int?
        var isPHI: Bool
    }

    private let traits: Traits
    /// Where the schema has its type; -1 for none.
    let typePlace: Int
    /// The name as it stands before a member's value in JSON.
    let jsonKey: [UInt8]

    init(_ traits: Traits, typePlace: Int) {
        self.traits = traits
        self.typePlace = typePlace
        // The names of the contracts need no escapes.
        jsonKey = Array("\"\(traits.jsonName)\":".utf8)
    }

    var name: String { traits.name }
    var jsonName: String { traits.jsonName }
    var number: Int { traits.number }
    var kind: Kind { traits.kind }
    var typeName: String { traits.typeName }
    var isRepeated: Bool { traits.isRepeated }
    var hasPresence: Bool { traits.hasPresence }
    var oneof: Int? { traits.oneof }
    var isPHI: Bool { traits.isPHI }

    /// Whether repeated values of the kind share one length-delimited field on the wire.
    var isPackable: Bool {
        switch kind {
        case .string, .bytes, .message, .group: false
        default: true
        }
    }
}

/// One enum.
struct EnumSchema: Sendable {
    let nameByNumber: [Int32: String]
    let numberByName: [String: Int32]
}

/// The types that have a form of their own in JSON.
enum WellKnownType: Sendable {
    case timestamp, duration, fieldMask, structure, list, value, wrapper, any

    init?(_ fullName: String) {
        guard fullName.hasPrefix("google.protobuf.") else { return nil }
        switch fullName.dropFirst("google.protobuf.".count) {
        case "Timestamp": self = .timestamp
        case "Duration": self = .duration
        case "FieldMask": self = .fieldMask
        case "Struct": self = .structure
        case "ListValue": self = .list
        case "Value": self = .value
        case "DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue", "StringValue", "BytesValue":
            self = .wrapper
        case "Any": self = .any
        default: return nil
        }
    }
}
