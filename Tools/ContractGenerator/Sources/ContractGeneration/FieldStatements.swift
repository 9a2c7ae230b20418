internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// The statements that move a whole field between the Swift value and the C struct `c`.
extension FieldShape {
    /// Whether the property is kept behind a reference, because the message would contain itself.
    var isIndirect: Bool {
        (presence == .message || presence == .explicit) && field.type == .message
            && field.messageType.contains(field.containingType)
    }

    /// Reads the field out of `c`.
    var copyStatement: String {
        let c = cMember
        let count = "c.pointee.n_\(cName)"
        let property = "self.\(name)"
        switch presence {
        case .implicit, .implicitWithCase, .message:
            return "\(property) = \(attempt)unsafe \(copied(c))"
        case .explicit:
            return "if unsafe c.pointee.\(cCase).rawValue != 0 { \(property) = \(attempt)unsafe \(copiedOrDefault(c)) }"
        case .repeated where isPlainNumber:
            return "\(property) = unsafe Copy.array(\(count), \(c))"
        case .repeated where field.type == .message:
            return "\(property) = try unsafe Copy.messages(\(count), \(c))"
        case .repeated:
            return
                "\(property) = try unsafe Copy.list(\(count), \(c)) { c throws(MalformedMessage) in "
                + "\(attempt)unsafe \(copied("c.pointee")) }"
        case .map:
            let entry = Naming.cType(field.messageType.fullName)
            let key = "\(mapKey.attempt)unsafe \(mapKey.copiedOrDefault("c.pointee.key"))"
            let value = "\(mapValue.attempt)unsafe \(mapValue.copiedOrDefault("c.pointee.value"))"
            return
                "\(property) = try unsafe Copy.map(\(count), \(c)) { (c: UnsafeMutablePointer<\(entry)>)"
                + " throws(MalformedMessage) in (\(key), \(value)) }"
        case .oneof:
            preconditionFailure("the oneof reads its fields")
        }
    }

    /// Puts the field into `c`.
    var placeStatements: [String] {
        let c = cMember
        let count = "c.pointee.n_\(cName)"
        let property = "self.\(name)"
        let setCase = "unsafe c.pointee.\(cCase).rawValue = \(field.number)"
        switch presence {
        case .implicit where field.type == .string || field.type == .bytes:
            return ["if !\(property).isEmpty { unsafe \(c) = \(attempt)unsafe \(placed(property)) }"]
        case .implicit:
            return ["unsafe \(c) = \(placed(property))"]
        case .implicitWithCase:
            return ["if \(property).bitPattern != 0 {", "    \(setCase)", "    unsafe \(c) = \(property)", "}"]
        case .message:
            return ["if let value = \(property) { unsafe \(c) = try unsafe arena.message(value) }"]
        case .explicit:
            return ["if let value = \(property) {", "    \(setCase)", "    \(place("value", in: c))", "}"]
        case .repeated:
            let array =
                switch field.type {
                case .string: "try unsafe arena.strings(\(property), field: \"\(field.fullName)\")"
                case .message: "try unsafe arena.messages(\(property))"
                case .bytes: "try unsafe arena.list(\(property)) { value, arena throws(MalformedMessage) in unsafe \(placed("value")) }"
                case .bool, .enum: "try unsafe arena.list(\(property)) { value, arena throws(MalformedMessage) in \(placed("value")) }"
                default: "unsafe arena.array(\(property))"
                }
            return [
                "if !\(property).isEmpty {", "    unsafe \(count) = \(property).count", "    unsafe \(c) = \(array)", "}",
            ]
        case .map:
            let entry = Naming.cType(field.messageType.fullName)
            let initialise = Naming.cFunctionPrefix(field.messageType.fullName) + "__init"
            return [
                "if !\(property).isEmpty {", "    unsafe \(count) = \(property).count",
                "    unsafe \(c) = try unsafe arena.map(\(property)) {",
                "        (key, value, c: UnsafeMutablePointer<\(entry)>, arena) throws(MalformedMessage) in",
                "        unsafe \(initialise)(c)",
                "        unsafe c.pointee._key_case.rawValue = 1",
                "        \(mapKey.place("key", in: "c.pointee.key"))",
                "        unsafe c.pointee._value_case.rawValue = 2",
                "        \(mapValue.place("value", in: "c.pointee.value"))",
                "    }", "}",
            ]
        case .oneof:
            preconditionFailure("the oneof places its fields")
        }
    }

    /// Puts one element into a member of a C struct.
    func place(_ value: String, in c: String) -> String {
        switch field.type {
        case .string, .bytes, .message, .group: "unsafe \(c) = \(attempt)unsafe \(placed(value))"
        default: "unsafe \(c) = \(placed(value))"
        }
    }
}

extension Descriptor {
    /// Whether a value of this message holds one of that without an array, dictionary or reference between them.
    func contains(_ other: Descriptor) -> Bool {
        var seen: Set<String> = []
        func search(_ message: Descriptor) -> Bool {
            if message.fullName == other.fullName { return true }
            guard seen.insert(message.fullName).inserted else { return false }
            return message.fields.contains { !$0.isRepeated && $0.type == .message && search($0.messageType) }
        }
        return search(self)
    }
}
