extension UInt8 {
    var isASCIIDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    var isASCIILowercase: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }

    var isASCIILetterOrDigit: Bool { isASCIIDigit || (self | 0x20).isASCIILowercase }
}

extension String {
    /// Whether a control character is in it, NUL included, which PostgreSQL's `text` cannot hold.
    var hasControlCharacter: Bool { unicodeScalars.contains { $0.properties.generalCategory == .control } }
}
