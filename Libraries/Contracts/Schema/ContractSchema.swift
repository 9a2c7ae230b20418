/// The messages and enums of the contracts as data, for what treats all messages alike: JSON and redaction.
package struct ContractSchema: Sendable {
    private(set) var messages: [String: MessageSchema] = [:]
    private(set) var enums: [String: EnumSchema] = [:]

    /// Reads a serialized google.protobuf.FileDescriptorSet.
    package init(fileDescriptorSet: [UInt8]) {
        for field in WireReader(fileDescriptorSet[...]) where field.number == 1 {
            var reader = SchemaReader(file: field.bytes)
            reader.read()
            messages.merge(reader.messages) { first, _ in first }
            enums.merge(reader.enums) { first, _ in first }
        }
    }
}

/// One message.
struct MessageSchema: Sendable {
    let fullName: String
    /// In the order of their numbers.
    let fields: [FieldSchema]
    /// Whether it is the entry of a map, with the key in field 1 and the value in field 2.
    let isMapEntry: Bool
    private let indexByNumber: [Int: Int]
    private let indexByName: [String: Int]

    init(fullName: String, fields: [FieldSchema], isMapEntry: Bool) {
        self.fullName = fullName
        self.fields = fields.sorted { $0.number < $1.number }
        self.isMapEntry = isMapEntry
        var byNumber: [Int: Int] = [:]
        var byName: [String: Int] = [:]
        for (index, field) in self.fields.enumerated() {
            byNumber[field.number] = index
            byName[field.name] = index
            byName[field.jsonName] = index
        }
        indexByNumber = byNumber
        indexByName = byName
    }

    func field(_ number: Int) -> FieldSchema? { indexByNumber[number].map { fields[$0] } }

    /// The field of a name, in the contract's spelling or in JSON's.
    func field(named name: String) -> FieldSchema? { indexByName[name].map { fields[$0] } }
}

/// One field of a message.
struct FieldSchema: Sendable {
    /// The numbers of google.protobuf.FieldDescriptorProto.Type.
    enum Kind: Int, Sendable {
        case double = 1, float, int64, uint64, int32, fixed64, fixed32, bool, string, group, message, bytes, uint32
        case enumeration, sfixed32, sfixed64, sint32, sint64
    }

    let name: String
    let jsonName: String
    let number: Int
    let kind: Kind
    /// The full name of the message or enum.
    let typeName: String
    let isRepeated: Bool
    /// Whether an unset field differs from one set to its default: messages, `optional`, members of a oneof.
    let hasPresence: Bool
    /// The oneof that the field is a member of; nil for `optional` fields, whose oneof is not in the contract.
    let oneof: Int?
    let isPHI: Bool

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
