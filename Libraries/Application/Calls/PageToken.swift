package import RPC
internal import FoundationEssentials

/// Where a list goes on: the key of the last row of a page, opaque to its reader.
///
/// It grants nothing, since the rows that it can lead to are still chosen by the caller's identity; so it is neither
/// signed nor sealed, and holds only what the reader has already seen.
package struct PageToken: Sendable, Equatable {
    package let parts: [String]

    package init(_ parts: [String]) { self.parts = parts }

    /// The token as a client carries it: base64url of the parts.
    package var text: String {
        let base64 = Data(parts.joined(separator: "\u{1f}").utf8).base64EncodedData().filter { $0 != UInt8(ascii: "=") }
        return String(decoding: base64.map(Self.urlSafe), as: UTF8.self)
    }

    /// Reads a token of the given number of parts. Throws INVALID_ARGUMENT on `page_token` for anything else.
    package init(parsing text: String, parts count: Int) throws(RPCError) {
        let padded = text.replacing("-", with: "+").replacing("_", with: "/")
            + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        guard text.utf8.count <= 1_024, let data = Data(base64Encoded: padded),
            let joined = String(validating: data, as: UTF8.self)
        else { throw Self.invalid }
        parts = joined.split(separator: "\u{1f}", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == count else { throw Self.invalid }
    }

    /// The character that base64url has for one of base64 (RFC 4648, section 5).
    private static func urlSafe(_ character: UInt8) -> UInt8 {
        switch character {
        case UInt8(ascii: "+"): UInt8(ascii: "-")
        case UInt8(ascii: "/"): UInt8(ascii: "_")
        default: character
        }
    }

    /// INVALID_ARGUMENT on `page_token`, also for a token whose parts make no sense to the list.
    package static var invalid: RPCError {
        var violations = FieldViolations()
        violations.add("page_token", "This is not a token of a page of this list.")
        do { try violations.throwIfAny() } catch { return error }
        return RPCError(.invalidArgument, "page_token is not valid.")
    }
}
