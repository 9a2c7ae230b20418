/// What one call asks for beyond its message.
package struct CallOptions: Sendable {
    package var metadata: Metadata
    /// The longest the caller will wait. The call ends after this, the method's limit or `Deadline.current`, whichever
    /// comes first.
    package var timeout: Duration?
    /// Whether to wait for a connection instead of failing with UNAVAILABLE when the last attempt to make one failed.
    /// `nil` leaves it to the channel's service config, and without one it does not wait.
    package var waitForReady: Bool?
    /// How requests are packed. With gzip, a server that does not read it refuses the call with UNIMPLEMENTED unless it
    /// has said so earlier; from then on the channel sends requests as they are.
    package var encoding: MessageEncoding

    package init(metadata: Metadata = [:], timeout: Duration? = nil, waitForReady: Bool? = nil, encoding: MessageEncoding = .identity) {
        self.metadata = metadata
        self.timeout = timeout
        self.waitForReady = waitForReady
        self.encoding = encoding
    }
}
