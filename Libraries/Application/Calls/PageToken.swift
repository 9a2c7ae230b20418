package import RPC

/// Where a list goes on: the key of the last row of a page, opaque to its reader.
///
/// It grants nothing, since the rows that it can lead to are still chosen by the caller's identity; so it is neither
/// signed nor sealed, and holds only what the reader has already seen.
package struct PageToken: Sendable, Equatable {
    package let parts: [String]

    /// More than the longest that a list makes: of a name with a thousand characters.
    private static let mostBytes = 8_192

    package init(_ parts: [String]) { self.parts = parts }

    /// The token as a client carries it: base64url of the parts.
    package var text: String {
        Base64.encode(Array(parts.map(Self.escaped).joined(separator: "\u{1f}").utf8), forURLs: true)
    }

    /// Without what stands between parts. Control characters take no part in what is around them, as letters may.
    private static func escaped(_ part: String) -> String {
        part.replacing("\u{1e}", with: "\u{1e}\u{1c}").replacing("\u{1f}", with: "\u{1e}\u{1d}")
    }

    private static func unescaped(_ part: Substring) -> String {
        String(part).replacing("\u{1e}\u{1d}", with: "\u{1f}").replacing("\u{1e}\u{1c}", with: "\u{1e}")
    }

    /// Reads a token of the given number of parts. Throws INVALID_ARGUMENT on `page_token` for anything else.
    package init(parsing text: String, parts count: Int) throws(RPCError) {
        guard text.utf8.count <= Self.mostBytes, let bytes = Base64.decode(inEither: text), let joined = String(validating: bytes, as: UTF8.self)
        else { throw Self.invalid }
        parts = joined.split(separator: "\u{1f}", omittingEmptySubsequences: false).map(Self.unescaped)
        guard parts.count == count else { throw Self.invalid }
    }

    /// INVALID_ARGUMENT on `page_token`, also for a token whose parts make no sense to the list.
    package static var invalid: RPCError {
        var violations = FieldViolations()
        violations.add("page_token", "This is not a token of a page of this list.")
        do { try violations.throwIfAny() } catch { return error }
        return RPCError(.invalidArgument, "page_token is not valid.")
    }
}
