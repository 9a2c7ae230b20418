/// Reads one JSON text (RFC 8259), strictly: no trailing commas, no comments, no member named twice, at most 100 deep.
package struct JSONParser {
    static let maxDepth = 100

    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    package static func parse(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw JSONSyntaxError("The JSON text is not valid UTF-8", at: nil)
        }
        var parser = JSONParser(bytes)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.failure("There is more behind the JSON value") }
        return value
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func failure(_ reason: String) -> JSONSyntaxError { JSONSyntaxError(reason, at: position) }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard position < bytes.count, UInt32(bytes[position]) == byte.value else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        guard depth < Self.maxDepth else { throw failure("The JSON text nests deeper than \(Self.maxDepth) levels") }
        skipSpace()
        guard let byte = current else { throw failure("The JSON text ends too early") }
        switch Unicode.Scalar(byte) {
        case "{": return try object(depth)
        case "[": return try array(depth)
        case "\"": return .string(try string())
        case "t": return try word("true", .bool(true))
        case "f": return try word("false", .bool(false))
        case "n": return try word("null", .null)
        case "-", "0"..."9": return .number(try number())
        default: throw failure("This is not JSON")
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        guard bytes[position...].starts(with: word.utf8) else { throw failure("This is not JSON") }
        position += word.utf8.count
        return value
    }

    private mutating func array(_ depth: Int) throws(JSONSyntaxError) -> JSONValue {
        position += 1
        var items: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(items) }
        while true {
            items.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(items) }
            guard take(",") else { throw failure("A comma or ] is missing") }
        }
    }

    private mutating func object(_ depth: Int) throws(JSONSyntaxError) -> JSONValue {
        position += 1
        var members: [(name: String, value: JSONValue)] = []
        var names = MemberNames()
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard current == 0x22 else { throw failure("A member's name is missing") }
            let name = try string()
            guard names.insert(name, behind: members) else { throw failure("A member is there twice") }
            skipSpace()
            guard take(":") else { throw failure("A colon is missing") }
            members.append((name, try value(depth: depth + 1)))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw failure("A comma or } is missing") }
        }
    }

    private mutating func number() throws(JSONSyntaxError) -> String {
        let start = position
        _ = take("-")
        if !take("0") { guard digits() else { throw failure("A number has no digits") } }
        if take(".") { guard digits() else { throw failure("A number has no digits behind its point") } }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() else { throw failure("A number has no digits in its exponent") }
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() -> Bool {
        let start = position
        while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
        return position > start
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        position += 1
        // All of a string without an escape, else what came behind the last one.
        var start = position
        var content: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case 0x22:
                let rest = bytes[start..<position - 1]
                return String(decoding: content.isEmpty ? rest : (content + rest)[...], as: UTF8.self)
            case 0x5c:
                content += bytes[start..<position - 1]
                content += try escape()
                start = position
            case 0..<0x20: throw failure("A control character in a string is not escaped")
            default: break
            }
        }
        throw failure("A string does not end")
    }

    private mutating func escape() throws(JSONSyntaxError) -> [UInt8] {
        guard let byte = current else { throw failure("A string does not end") }
        position += 1
        switch Unicode.Scalar(byte) {
        case "\"": return [0x22]
        case "\\": return [0x5c]
        case "/": return [0x2f]
        case "b": return [0x08]
        case "f": return [0x0c]
        case "n": return [0x0a]
        case "r": return [0x0d]
        case "t": return [0x09]
        case "u":
            var code = try hexadecimal()
            if (0xd800..<0xdc00).contains(code) {
                guard take("\\"), take("u") else { throw failure("Half of a surrogate pair is missing") }
                let low = try hexadecimal()
                guard (0xdc00..<0xe000).contains(low) else { throw failure("Half of a surrogate pair is missing") }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = UnicodeScalar(code) else { throw failure("Half of a surrogate pair is missing") }
            return Array(String(Character(scalar)).utf8)
        default: throw failure("An escape is not known")
        }
    }

    private mutating func hexadecimal() throws(JSONSyntaxError) -> UInt32 {
        guard position + 4 <= bytes.count,
            let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
            bytes[position] != 0x2b, bytes[position] != 0x2d
        else { throw failure("An escape lacks its four digits") }
        position += 4
        return code
    }
}

/// The names of an object's members, to find one that is there twice. Few are compared, many looked up.
private struct MemberNames {
    private var set: Set<String> = []

    /// `false` if the name is among the members' already.
    mutating func insert(_ name: String, behind members: [(name: String, value: JSONValue)]) -> Bool {
        guard members.count >= 16 else { return !members.contains { $0.name == name } }
        if set.isEmpty { set = Set(members.map(\.name)) }
        return set.insert(name).inserted
    }
}
