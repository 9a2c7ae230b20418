package import Time

/// Where a server listens and what it puts up with.
package struct RPCServerConfiguration: Sendable {
    package var host: String
    /// 0 lets the system choose; `run` reports the choice.
    package var port: Int
    package var tls: TLSFiles?
    /// A larger request ends its call with RESOURCE_EXHAUSTED; the connection stays.
    package var maxReceiveMessageBytes = 4 << 20
    /// A larger response ends its call with RESOURCE_EXHAUSTED.
    package var maxSendMessageBytes = 64 << 20
    /// The most that the header fields of a request may take, counted as HTTP/2 counts (name, value, 32 bytes each).
    package var maxMetadataBytes = 16 << 10
    /// How many connections there may be, and are; one that comes beyond is closed at once. `nil` for as many as the process can have.
    package var connections: OpenConnections?
    /// Calls that one connection may have open; further ones wait at the client.
    package var maxConcurrentStreams = 256
    /// How much one connection may keep of requests that have not come whole: their messages as far as they are here and, until the
    /// handler has started, their metadata. A call for which there is no room ends with RESOURCE_EXHAUSTED; the connection stays.
    package var maxConnectionUnfinishedBytes = 128 << 20
    /// The same of all connections together, beyond the first 64 KiB of each.
    package var maxUnfinishedBytes = 512 << 20
    /// How long the request of a method with one request may take to come whole, where its deadline allows more.
    package var requestTimeout: Duration = .seconds(300)
    /// How many unread bytes a caller may send on one stream.
    package var streamWindowBytes = 256 << 10
    /// How long a client may take to begin to speak HTTP/2, TLS included.
    package var handshakeTimeout: Duration = .seconds(10)
    /// A client that has sent nothing for so long is asked for a sign of life.
    package var keepaliveInterval: Duration = .seconds(120)
    /// How long that sign may take before the connection is closed.
    package var keepaliveTimeout: Duration = .seconds(20)
    /// The least time between two pings of a client with calls open. Clients of this library are told and keep to it; a
    /// client that asks more often than that, again and again, is sent away with ENHANCE_YOUR_CALM (gRFC A8).
    package var minPingInterval: Duration = .seconds(10)
    /// The same for a client without calls.
    package var minPingIntervalWithoutCalls: Duration = .seconds(300)
    /// How old a connection may become, give or take a tenth, before it is drained; `nil` for any age (gRFC A9).
    package var maxConnectionAge: Duration?
    /// How long the calls of a connection that has become too old may go on.
    package var maxConnectionAgeGrace: Duration = .seconds(60)
    /// How long a connection may be without calls before it is drained, within half as much again; `nil` for ever.
    package var maxConnectionIdle: Duration?
    /// How far the window of a stream may grow where the way to the client holds more than `streamWindowBytes`.
    package var maxStreamWindowBytes = 4 << 20
    /// How long calls may go on after `beginGracefulShutdown` before they are cancelled.
    package var drainTimeout: Duration = .seconds(20)
    /// How long after a call's deadline its answer, once given, may still be on its way to a caller that takes little at a time.
    package var answerGrace: Duration = .seconds(60)
    /// Adds to what the caller of a call that its deadline ended is told what its handler was waiting for.
    package var explainLate: (@Sendable (RPCError, [WorkStage]) -> RPCError)?
    /// Threads for connections; `nil` shares those of the process, one for each core.
    package var eventLoopThreads: Int?

    package init(host: String, port: Int, tls: TLSFiles? = nil) {
        self.host = host
        self.port = port
        self.tls = tls
    }
}

extension RPCServerConfiguration {
    var pingPolicy: PingStrikes.Policy {
        PingStrikes.Policy(minInterval: minPingInterval, minIntervalWithoutCalls: minPingIntervalWithoutCalls)
    }

    var ageLimits: ConnectionAge.Limits {
        ConnectionAge.Limits(maxAge: maxConnectionAge, grace: maxConnectionAgeGrace, maxIdle: maxConnectionIdle)
    }
}
