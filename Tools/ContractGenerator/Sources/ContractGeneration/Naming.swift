internal import SwiftProtobufPluginLibrary

/// What things are called in Swift and in the C that protoc-gen-c makes.
enum Naming {
    /// `UsersV1` for heartguard.users.v1, `GRPCHealthV1` for grpc.health.v1, `GoogleRPC` for google.rpc.
    static func namespace(ofPackage package: String) -> String {
        var parts = package.split(separator: ".").map(String.init)
        if parts.first == "heartguard" { parts.removeFirst() }
        return parts.map { ["grpc", "rpc"].contains($0) ? $0.uppercased() : upperCamel($0) }.joined()
    }

    static func upperCamel(_ snake: String) -> String {
        snake.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// `createdAt` for created_at; a name of capitals only is lowered whole.
    static func lowerCamel(_ snake: String) -> String {
        let parts = snake.split(separator: "_").map(String.init)
        guard let first = parts.first else { return snake }
        let head = first == first.uppercased() ? first.lowercased() : first.prefix(1).lowercased() + first.dropFirst()
        return head + parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// `UsersV1.User`, and `KitchenV1.Tree.Leaf` for a nested one.
    static func swiftType(_ message: Descriptor) -> String {
        scope(message.containingType, file: message.file) + "." + typeName(message.name)
    }

    static func swiftType(_ type: EnumDescriptor) -> String {
        scope(type.containingType, file: type.file) + "." + typeName(type.name)
    }

    private static func scope(_ containing: Descriptor?, file: FileDescriptor) -> String {
        containing.map(swiftType) ?? namespace(ofPackage: file.package)
    }

    /// A type may be called anything but what Swift reserves inside a type.
    static func typeName(_ name: String) -> String {
        switch name {
        case "Type", "Protocol", "Self": name + "Message"
        case "Any": "`Any`"
        default: name
        }
    }

    /// The name of a property, parameter or function.
    static func member(_ snake: String) -> String {
        let name = lowerCamel(snake)
        if membersOfOurs.contains(name) { return name + "_p" }
        return keywords.contains(name) ? "`\(name)`" : name
    }

    /// `heartRate` for METRIC_HEART_RATE of enum Metric.
    static func enumCase(_ value: String, of enumName: String) -> String {
        let prefix = upperSnake(enumName) + "_"
        let upper = value.uppercased()
        var rest = upper.hasPrefix(prefix) ? String(upper.dropFirst(prefix.count)) : upper
        if rest.first?.isNumber ?? true { rest = upper }
        let name = lowerCamel(rest.lowercased())
        if membersOfOurs.contains(name) || name == "unrecognized" { return name + "_p" }
        return keywords.contains(name) ? "`\(name)`" : name
    }

    private static func upperSnake(_ camel: String) -> String {
        var result = ""
        var previousIsLower = false
        for character in camel {
            if character.isUppercase && previousIsLower { result += "_" }
            result += character.uppercased()
            previousIsLower = !character.isUppercase
        }
        return result
    }

    // MARK: C, as c_helpers.cc of protobuf-c 1.4.1 forms it

    static func cType(_ fullName: String) -> String {
        fullName.split(separator: ".").map { upperCamel(String($0)) }.joined(separator: "__")
    }

    static func cFunctionPrefix(_ fullName: String) -> String {
        fullName.split(separator: ".").map { camelToLower(String($0)) }.joined(separator: "__")
    }

    static func cField(_ name: String) -> String {
        let lower = name.lowercased()
        return cKeywords.contains(lower) ? lower + "_" : lower
    }

    private static func camelToLower(_ name: String) -> String {
        var result = ""
        var previousIsUpper = true
        for character in name {
            let isUpper = character.isASCII && character.isUppercase
            if isUpper && !previousIsUpper { result += "_" }
            result += character.lowercased()
            previousIsUpper = isUpper
        }
        return result
    }

    private static let membersOfOurs: Set<String> = [
        "self", "init", "description", "unknownFields", "hashValue", "rawValue", "fullName", "layout", "json", "schema",
    ]

    private static let keywords: Set<String> = [
        "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do",
        "else", "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import",
        "in", "inout", "internal", "is", "let", "nil", "operator", "private", "protocol", "public", "repeat",
        "rethrows", "return", "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try",
        "typealias", "var", "where", "while",
    ]

    private static let cKeywords: Set<String> = [
        "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char", "class", "compl",
        "const", "const_cast", "continue", "default", "delete", "do", "double", "dynamic_cast", "else", "enum",
        "explicit", "extern", "false", "float", "for", "friend", "goto", "if", "inline", "int", "long", "mutable",
        "namespace", "new", "not", "not_eq", "operator", "or", "or_eq", "private", "protected", "public", "register",
        "reinterpret_cast", "return", "short", "signed", "sizeof", "static", "static_cast", "struct", "switch",
        "template", "this", "throw", "true", "try", "typedef", "typeid", "typename", "union", "unsigned", "using",
        "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
    ]
}
