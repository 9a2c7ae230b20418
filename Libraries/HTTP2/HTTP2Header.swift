/// One header field. Names are lower-case; those that begin with ':' are HTTP/2's own and come first.
package struct HTTP2Header: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// What HTTP/2 counts for the field against a limit (RFC 9113, section 6.5.2).
    package var byteCount: Int { name.utf8.count + value.utf8.count + 32 }
}
