/// How a channel connects and what it accepts.
package struct RPCChannelConfiguration: Sendable {
    /// Connections, each on an event loop of its own. A call made on one of these loops never leaves it.
    package var connections = 1
    /// What `:authority` says; `nil` for the target.
    package var authority: String?
    package var connectTimeout: Duration = .seconds(5)
    /// The pause after the first failed attempt to connect; it grows with each further one, and varies by a fifth so
    /// that many clients of one server do not come back at once.
    package var initialBackoff: Duration = .milliseconds(100)
    package var maxBackoff: Duration = .seconds(5)
    package var backoffMultiplier = 1.6
    /// With calls open and nothing received for so long, the server is asked for a sign of life; `nil` never asks.
    package var keepaliveInterval: Duration? = .seconds(30)
    /// How long that sign may take before the connection is given up.
    package var keepaliveTimeout: Duration = .seconds(10)
    package var maxReceiveMessageBytes = 64 << 20
    package var maxSendMessageBytes = 64 << 20
    package var maxMetadataBytes = 16 << 10
    /// How many unread bytes the server may send on one stream.
    package var streamWindowBytes = 1 << 20
    /// How often a call that the server never began is sent again, unseen by its caller.
    package var maxTransparentRetries = 3
    /// How long `close` lets calls go on.
    package var closeTimeout: Duration = .seconds(10)

    package init() {}
}
