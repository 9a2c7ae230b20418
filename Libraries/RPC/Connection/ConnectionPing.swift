/// What the payload of a ping says about why it was sent.
enum ConnectionPing {
    /// For a sign of life.
    static let keepalive: UInt64 = 1
    /// To know that the peer has read the first GOAWAY of a drain.
    static let drain: UInt64 = 2
    /// To measure a round trip.
    static let bandwidth: UInt64 = 3
}
