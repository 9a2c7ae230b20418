internal import FoundationEssentials
internal import Time

/// As heads are anchored: the sequence and the hash in hexadecimal digits, parted by a colon.
extension AuditHead {
    package var anchor: String { "\(sequence):\(Self.digits(of: hash))" }

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

    /// A hash in hexadecimal digits.
    package static func digits(of hash: [UInt8]) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity(hash.count * 2)
        for byte in hash {
            digits.append(digit(byte >> 4))
            digits.append(digit(byte & 15))
        }
        return String(decoding: digits, as: UTF8.self)
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

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
