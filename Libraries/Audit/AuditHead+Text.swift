internal import FoundationEssentials
internal import Time

/// As heads are anchored: the sequence and the hash in hexadecimal digits, parted by a colon.
extension AuditHead {
    package var anchor: String { "\(sequence):" + hash.map { Self.digits($0) }.joined() }

    /// `nil` for what is no anchor.
    package init?(writer: String, anchor: String) {
        let parts = anchor.split(separator: ":", omittingEmptySubsequences: false)
        guard let writer = UUID(uuidString: writer), parts.count == 2, let sequence = Int64(parts[0]), sequence > 0,
            parts[1].utf8.count == 64
        else { return nil }
        var hash: [UInt8] = []
        var rest = parts[1].utf8[...]
        while !rest.isEmpty {
            guard let byte = UInt8(Substring(rest.prefix(2)), radix: 16) else { return nil }
            hash.append(byte)
            rest = rest.dropFirst(2)
        }
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

    private static func digits(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
