package enum HTTP2Role: Sendable, Hashable {
    case client
    case server
}

/// What a session announces to its peer, and what it refuses.
package struct HTTP2Settings: Sendable, Hashable {
    /// Streams that the peer may have open.
    package var maxConcurrentStreams: UInt32 = 256
    /// Bytes of unread body on one stream.
    package var streamWindowBytes: Int32 = 256 << 10
    /// Bytes of unread body on the whole connection.
    package var connectionWindowBytes: Int32 = 4 << 20
    /// What the fields of one header block may take, counted as RFC 9113, section 6.5.2.
    package var maxHeaderListBytes = 16 << 10
    /// Resets that the peer may send at once, and how many a second after that: a bound on the work that opening and
    /// dropping streams can cause (CVE-2023-44487). A client resets every call that runs into its deadline, and who calls a
    /// service that hangs has as many of these as it has calls, so nghttp2's own 1,000 and 33 would end healthy connections.
    package var resetBurst: UInt64 = 10_000
    package var resetsPerSecond: UInt64 = 1_000
    /// CONTINUATION frames that may follow one HEADERS frame (CVE-2024-28182).
    package var maxContinuations = 8
    /// Acknowledgements that may wait to be sent before the peer counts as an attacker.
    package var maxPendingAcknowledgements = 1_000
    /// A stream with at most this many bytes left to send reports that it has drained.
    package var lowWaterBytes = 16 << 10

    /// How often the peer may ask for a sign of life. A server announces it as `HTTP2Settings.minPingIntervalID`; other
    /// peers ignore a setting that they do not know (RFC 9113, section 6.5.2).
    package var minPingInterval: Duration?

    /// The setting that holds the least number of milliseconds between two pings of a client with calls open. It stands
    /// beside the numbers that gRPC's C core has for settings of its own, from 0xfe03 on.
    package static let minPingIntervalID: UInt16 = 0xfe10

    package init() {}
}
