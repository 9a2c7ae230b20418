/// How a channel connects and what it accepts.
package struct RPCChannelConfiguration: Sendable {
    /// How calls are made and shared out. `nil` is gRPC's default: nothing is tried twice that a server may have seen.
    package var serviceConfig: ServiceConfig?
    /// Connections to each address, each on an event loop of its own. A call made on one of these loops never leaves
    /// it, and each loop shares its calls out among the addresses by itself.
    package var connections = 1
    /// What `:authority` says; `nil` for the target.
    package var authority: String?
    /// The least time that an attempt to connect is given; it is never less than the pause that would follow.
    package var connectTimeout: Duration = .seconds(5)
    /// How long an address may be silent before the next is tried beside it, where only one is used (gRFC A61).
    package var attemptDelay: Duration = .milliseconds(250)
    /// From the beginning of the first attempt to connect that failed to the next one; it grows with each further one,
    /// and varies by a fifth so that many clients of one server do not come back at once. These three are those of
    /// gRPC's connection-backoff.md.
    package var initialBackoff: Duration = .seconds(1)
    package var maxBackoff: Duration = .seconds(120)
    package var backoffMultiplier = 1.6
    /// Where names lead. It is asked for a target that is a name, never for an IP address, and not on an event loop.
    package var lookUp: NameLookup = { name in try await HostLookup.find(name) }
    /// A name is looked up again when a connection fails or ends, and not before so much time has passed.
    package var minResolutionInterval: Duration = .seconds(30)
    /// How long calls wait for a name to be looked up. Then the look-up is cancelled; if it finds something all the same, that is used.
    package var resolutionTimeout: Duration = .seconds(10)
    /// With calls open and nothing received for so long, the server is asked for a sign of life; `nil` never asks. A
    /// server that says that it is asked too often is asked half as often from its next connection on (gRFC A8).
    package var keepaliveInterval: Duration? = .seconds(30)
    /// Asks for signs of life without calls too. Only for servers that are known to allow it.
    package var keepaliveWithoutCalls = false
    /// How long that sign may take before the connection is given up.
    package var keepaliveTimeout: Duration = .seconds(10)
    /// After so long without a call a connection is closed, and made again for the next call; `nil` keeps it.
    package var idleTimeout: Duration? = .seconds(1_800)
    /// Calls that may wait for a connection on one event loop; further ones end with RESOURCE_EXHAUSTED.
    package var maxWaitingCalls = 65_536
    package var maxReceiveMessageBytes = 64 << 20
    package var maxSendMessageBytes = 64 << 20
    package var maxMetadataBytes = 16 << 10
    /// How many unread bytes the server may send on one stream.
    package var streamWindowBytes = 1 << 20
    /// How far the window of a stream may grow where the way to the server holds more than `streamWindowBytes`.
    package var maxStreamWindowBytes = 16 << 20
    /// How often a call that the server refused to begin is sent again, unseen by its caller (gRFC A6 has one). One that
    /// never left is sent again until its deadline, and one that a GOAWAY left out a few times.
    package var maxTransparentRetries = 1
    /// What is kept of a request in order to send it again under a retry or hedging policy. A larger one is sent once.
    package var maxRetryBufferBytes = 256 << 10
    /// What all calls of the channel keep together for that. A call that would keep more than is left is sent once.
    package var maxChannelRetryBufferBytes = 16 << 20
    /// How long `close` lets calls go on.
    package var closeTimeout: Duration = .seconds(10)

    package init() {}
}
