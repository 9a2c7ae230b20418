/// A statement's name in logs and reports, the same in every program and at every start. It tells nothing of the statement; whoever
/// wants the text looks it up with the program that ran it.
package struct StatementFingerprint: Sendable, Hashable, CustomStringConvertible {
    private let hash: UInt64

    /// Line ends and indentation don't count: 64-bit FNV-1a over the text with each run of white space as one space.
    package init(_ statement: String) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var spaceIsDue = false
        var hasBegun = false
        for byte in statement.utf8 {
            if byte == UInt8(ascii: " ") || (9...13).contains(byte) {
                spaceIsDue = hasBegun
                continue
            }
            if spaceIsDue { hash = (hash ^ 0x20) &* 0x100_0000_01b3 }
            spaceIsDue = false
            hasBegun = true
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        self.hash = hash
    }

    /// Sixteen hexadecimal digits.
    package var description: String {
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
