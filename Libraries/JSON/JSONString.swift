extension [UInt8] {
    /// Appends text in UTF-8 as a JSON string (RFC 8259, section 7). What needs no escape goes over in one piece.
    package mutating func append(json text: ArraySlice<UInt8>) {
        append(0x22)
        var rest = text
        while let place = rest.firstIndex(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5c }) {
            append(contentsOf: rest[..<place])
            append(escaped: rest[place])
            rest = rest[(place + 1)...]
        }
        append(contentsOf: rest)
        append(0x22)
    }

    private mutating func append(escaped byte: UInt8) {
        switch byte {
        case 0x22: append(contentsOf: "\\\"".utf8)
        case 0x5c: append(contentsOf: "\\\\".utf8)
        case 0x0a: append(contentsOf: "\\n".utf8)
        case 0x0d: append(contentsOf: "\\r".utf8)
        case 0x09: append(contentsOf: "\\t".utf8)
        default: append(contentsOf: "\\u00\(byte < 0x10 ? "0" : "")\(String(byte, radix: 16))".utf8)
        }
    }
}
