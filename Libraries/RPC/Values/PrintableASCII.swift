extension UInt8 {
    /// From the space to the tilde: what a header field may hold.
    package var isPrintableASCII: Bool { (0x20...0x7E).contains(self) }
}

extension String {
    package var isPrintableASCII: Bool { utf8.allSatisfy { $0.isPrintableASCII } }
}
