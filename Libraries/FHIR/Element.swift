/// A value in the JSON of FHIR (R4, "JSON Representation of Resources"): a decimal keeps its digits, and nothing is empty, which FHIR forbids.
package enum Element: Hashable, Sendable {
    case string(String)
    /// Digits as JSON has them.
    case number(String)
    case boolean(Bool)
    case list([Element])
    case object([Member])

    package struct Member: Hashable, Sendable {
        package let name: String
        package let value: Element
    }

    /// With those members that are there and not empty.
    package static func object(_ members: KeyValuePairs<String, Element?>) -> Element {
        .object(members.compactMap { name, value in value.flatMap { $0.isEmpty ? nil : Member(name: name, value: $0) } })
    }

    /// One value in a list, where FHIR allows several; nothing for nothing.
    package static func one(_ element: Element?) -> Element? { element.map { .list([$0]) } }

    package static func number(_ value: some BinaryInteger) -> Element { .number("\(value)") }

    private var isEmpty: Bool {
        switch self {
        case .string(let text): text.allSatisfy(\.isWhitespace)
        case .number, .boolean: false
        case .list(let elements): elements.allSatisfy(\.isEmpty)
        case .object(let members): members.isEmpty
        }
    }

    /// As JSON without spaces, on one line.
    package var json: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .string(let text): Self.write(text, to: &bytes)
        case .number(let digits): bytes += digits.utf8
        case .boolean(let flag): bytes += (flag ? "true" : "false").utf8
        case .list(let elements):
            bytes.append(UInt8(ascii: "["))
            for (position, element) in elements.filter({ !$0.isEmpty }).enumerated() {
                if position > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (position, member) in members.enumerated() {
                if position > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.write(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): bytes += "\\n".utf8
            case UInt8(ascii: "\r"): bytes += "\\r".utf8
            case UInt8(ascii: "\t"): bytes += "\\t".utf8
            // FHIR allows no other control character in a text.
            case 0..<0x20: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
