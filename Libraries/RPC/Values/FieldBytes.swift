extension UInt8 {
    /// From the space to the tilde: what the value of a header field may hold.
    package var isPrintableASCII: Bool { (0x20...0x7E).contains(self) }

    /// What the names of fields, and those of programs, are made of.
    var mayStandInName: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }
}

extension String {
    package var isPrintableASCII: Bool { utf8.allSatisfy { $0.isPrintableASCII } }
}
