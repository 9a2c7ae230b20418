internal import FoundationEssentials
internal import Time

/// As heads are anchored: the sequence and the hash in hexadecimal digits, parted by a colon.
extension AuditHead {
    package var anchor: String { "\(sequence):\(hash.hexadecimal)" }

    /// `nil` for what is no anchor.
    package init?(writer: String, anchor: String) {
        let parts = anchor.split(separator: ":", omittingEmptySubsequences: false)
        guard let writer = UUID(uuidString: writer), parts.count == 2, let sequence = Int64(parts[0]), sequence > 0,
            let hash = Self.hash(ofDigits: parts[1])
        else { return nil }
        self.init(writer: writer, sequence: sequence, hash: hash)
    }

    /// One line of a file of anchors.
    package var line: String { "\(writer.text) \(anchor)" }

    /// `nil` for a line that is none.
    package init?(line: Substring) {
        let parts = line.split(separator: " ")
        guard parts.count == 2 else { return nil }
        self.init(writer: String(parts[0]), anchor: String(parts[1]))
    }

    /// `nil` for what are not the digits of a hash.
    package static func hash(ofDigits text: some StringProtocol) -> [UInt8]? {
        var hash: [UInt8] = []
        var upper: UInt8?
        for digit in text.utf8 {
            guard let bits = value(of: digit) else { return nil }
            if let high = upper.take() { hash.append(high << 4 | bits) } else { upper = bits }
        }
        return hash.count == 32 && upper == nil ? hash : nil
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
