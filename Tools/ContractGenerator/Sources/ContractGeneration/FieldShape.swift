internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// How one field looks in Swift and in C, and how a value passes between the two.
struct FieldShape {
    enum Presence {
        /// Absent when zero.
        case implicit
        /// Absent when zero in every bit; C has a case for it, because protobuf-c takes -0.0 for absent.
        case implicitWithCase
        /// An Optional; C has a case for it.
        case explicit
        /// An Optional message; C has a pointer.
        case message
        case repeated
        case map
        /// In a oneof that the contract names.
        case oneof
    }

    let field: FieldDescriptor
    let presence: Presence
    /// The property, escaped where Swift needs it.
    let name: String
    /// The member of the C struct, as C spells it.
    let cName: String
    /// The member of the C struct `c`, as Swift reaches it: `.self` and `.init` mean something else without the quotes.
    var cMember: String { "c.pointee." + (["self", "init"].contains(cName) ? "`\(cName)`" : cName) }

    init(_ field: FieldDescriptor) {
        self.field = field
        name = Naming.member(field.name)
        cName = Naming.cField(field.name)
        presence =
            if field.isMap { .map }
            else if field.isRepeated { .repeated }
            else if field.realContainingOneof != nil { .oneof }
            else if field.containingOneof != nil { .explicit }
            else if field.type == .message { .message }
            else if field.type == .float || field.type == .double { .implicitWithCase }
            else { .implicit }
    }

    /// The member of the C struct that says whether the field is set.
    var cCase: String {
        if let oneof = field.realContainingOneof { return oneof.name.lowercased() + "_case" }
        return CRequest.presenceOneofName(forField: field.name).lowercased() + "_case"
    }

    /// The type of one element.
    var elementType: String {
        switch field.type {
        case .double: "Double"
        case .float: "Float"
        case .int32, .sint32, .sfixed32: "Int32"
        case .int64, .sint64, .sfixed64: "Int64"
        case .uint32, .fixed32: "UInt32"
        case .uint64, .fixed64: "UInt64"
        case .bool: "Bool"
        case .string: "String"
        case .bytes: "[UInt8]"
        case .enum: Naming.swiftType(field.enumType)
        case .message, .group: Naming.swiftType(field.messageType)
        }
    }

    /// The type of the property.
    var type: String {
        switch presence {
        case .implicit, .implicitWithCase: elementType
        case .explicit, .message, .oneof: elementType + "?"
        case .repeated: "[\(elementType)]"
        case .map: "[\(mapKey.elementType): \(mapValue.elementType)]"
        }
    }

    var defaultValue: String {
        switch presence {
        case .explicit, .message, .oneof: return "nil"
        case .repeated: return "[]"
        case .map: return "[:]"
        case .implicit, .implicitWithCase: break
        }
        return switch field.type {
        case .bool: "false"
        case .string: "\"\""
        case .bytes: "[]"
        case .enum: ".\(Naming.enumCase(field.enumType.values[0].name, of: field.enumType.name))"
        default: "0"
        }
    }

    var mapKey: FieldShape { FieldShape(field.messageType.fields[0]) }
    var mapValue: FieldShape { FieldShape(field.messageType.fields[1]) }

    /// Whether C and Swift hold the element in the same bytes.
    var isPlainNumber: Bool {
        switch field.type {
        case .bool, .string, .bytes, .enum, .message, .group: false
        default: true
        }
    }

    /// `try ` when reading or placing an element can fail.
    var attempt: String { [.string, .message, .group].contains(field.type) ? "try " : "" }

    /// The Swift value of a C expression, where `try unsafe` stands before it. A message is Optional there.
    func copied(_ c: String) -> String {
        switch field.type {
        case .bool: "\(c) != 0"
        case .string: "Copy.string(\(c), field: \"\(field.fullName)\")"
        case .bytes: "Copy.bytes(\(c).len, \(c).data)"
        case .enum: "\(elementType)(rawValue: Int32(truncatingIfNeeded: \(c).rawValue))"
        case .message, .group: "Copy.message(\(c), as: \(elementType).self)"
        default: c
        }
    }

    /// The same, with a message that is absent read as an empty one.
    func copiedOrDefault(_ c: String) -> String {
        field.type == .message ? copied(c) + " ?? \(elementType)()" : copied(c)
    }

    /// The C value of a Swift expression, placed in the arena.
    func placed(_ value: String) -> String {
        switch field.type {
        case .bool: "\(value) ? 1 : 0"
        case .string: "arena.string(\(value), field: \"\(field.fullName)\")"
        case .bytes: "ProtobufCBinaryData(len: \(value).count, data: arena.bytes(\(value)))"
        case .enum: "\(Naming.cType(field.enumType.fullName))(rawValue: .init(truncatingIfNeeded: \(value).rawValue))"
        case .message, .group: "arena.message(\(value))"
        default: value
        }
    }
}
