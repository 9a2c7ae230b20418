internal import Application

/// An address that an account can have: in lower case, so that one mailbox is one account.
///
/// Accepted is what mail servers hand out: the dot-atom form of RFC 5321 and a domain of at least two labels. Quoted
/// local parts, address literals and internationalised addresses are refused; a domain with other letters can be given
/// in its `xn--` form.
struct EmailAddress: Hashable, Sendable {
    let text: String

    /// RFC 5321, section 4.5.3.1, with the erratum that makes the whole path 254.
    static let maxBytes = 254
    static let maxLocalPartBytes = 64

    init(_ given: String) throws(InvalidValue) {
        let text = given.trimmed.lowercased()
        guard !text.isEmpty else { throw InvalidValue("is needed") }
        guard text.utf8.count <= Self.maxBytes else { throw InvalidValue("has more than \(Self.maxBytes) bytes") }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, Self.isLocalPart(parts[0]), Self.isDomain(parts[1]) else {
            throw InvalidValue("is not an e-mail address such as ada@example.org")
        }
        self.text = text
    }

    /// An address that the table holds.
    init(stored: String) { text = stored }

    private static func isLocalPart(_ part: Substring) -> Bool {
        part.utf8.count <= maxLocalPartBytes
            && part.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
                !atom.isEmpty && atom.utf8.allSatisfy { $0.isASCIILetterOrDigit || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) }
            }
    }

    private static func isDomain(_ part: Substring) -> Bool {
        let labels = part.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") }
            }
            && !labels[labels.count - 1].utf8.allSatisfy(\.isASCIIDigit)
    }
}

/// An address is somebody's: it prints as nothing.
extension EmailAddress: CustomStringConvertible {
    var description: String { "EmailAddress(…)" }
}
