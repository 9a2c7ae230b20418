/// Reads the messages and enums of one serialized google.protobuf.FileDescriptorProto.
///
/// The numbers are those of google/protobuf/descriptor.proto.
struct SchemaReader {
    struct Message {
        let fields: [FieldSchema.Traits]
        let isMapEntry: Bool
    }

    private(set) var messages: [String: Message] = [:]
    private(set) var enums: [String: EnumSchema] = [:]
    private let file: ArraySlice<UInt8>

    init(file: ArraySlice<UInt8>) { self.file = file }

    mutating func read() {
        let package = WireReader(file).first { $0.number == 2 }?.text ?? ""
        for field in WireReader(file) {
            switch field.number {
            case 4: readMessage(field.bytes, in: package)
            case 5: readEnum(field.bytes, in: package)
            default: break
            }
        }
    }

    private mutating func readMessage(_ bytes: ArraySlice<UInt8>, in scope: String) {
        let name = Self.join(scope, WireReader(bytes).first { $0.number == 1 }?.text ?? "")
        var fields: [FieldSchema.Traits] = []
        var isMapEntry = false
        for part in WireReader(bytes) {
            switch part.number {
            case 2: if let field = Self.field(part.bytes) { fields.append(field) }
            case 3: readMessage(part.bytes, in: name)
            case 4: readEnum(part.bytes, in: name)
            case 7: isMapEntry = WireReader(part.bytes).contains { $0.number == 7 && $0.value == 1 }
            default: break
            }
        }
        messages[name] = Message(fields: fields, isMapEntry: isMapEntry)
    }

    private mutating func readEnum(_ bytes: ArraySlice<UInt8>, in scope: String) {
        let name = Self.join(scope, WireReader(bytes).first { $0.number == 1 }?.text ?? "")
        var nameByNumber: [Int32: String] = [:]
        var numberByName: [String: Int32] = [:]
        for value in WireReader(bytes) where value.number == 2 {
            let parts = Array(WireReader(value.bytes))
            let label = parts.first { $0.number == 1 }?.text ?? ""
            let number = Int32(truncatingIfNeeded: parts.first { $0.number == 2 }?.value ?? 0)
            if nameByNumber[number] == nil { nameByNumber[number] = label }
            numberByName[label] = number
        }
        enums[name] = EnumSchema(nameByNumber: nameByNumber, numberByName: numberByName)
    }

    private static func field(_ bytes: ArraySlice<UInt8>) -> FieldSchema.Traits? {
        var name = ""
        var jsonName: String?
        var number = 0
        var label: UInt64 = 1
        var kind: FieldSchema.Kind?
        var typeName = ""
        var oneof: Int?
        var isOptional = false
        var isPHI = false
        for part in WireReader(bytes) {
            switch part.number {
            case 1: name = part.text
            case 3: number = Int(clamping: part.value)
            case 4: label = part.value
            case 5: kind = FieldSchema.Kind(rawValue: Int(clamping: part.value))
            case 6: typeName = String(part.text.drop { $0 == "." })
            case 8: isPHI = WireReader(part.bytes).contains { $0.number == phiOption && $0.value == 1 }
            case 9: oneof = Int(clamping: part.value)
            case 10: jsonName = part.text
            case 17: isOptional = part.value == 1
            default: break
            }
        }
        guard let kind else { return nil }
        return FieldSchema.Traits(
            name: name, jsonName: jsonName ?? name, number: number, kind: kind, typeName: typeName,
            isRepeated: label == 3, hasPresence: kind == .message || oneof != nil, oneof: isOptional ? nil : oneof,
            isPHI: isPHI)
    }

    /// heartguard.policy.v1.phi.
    private static let phiOption = 50602

    private static func join(_ scope: String, _ name: String) -> String { scope.isEmpty ? name : "\(scope).\(name)" }
}
