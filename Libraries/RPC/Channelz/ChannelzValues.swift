package import Time

/// Calls that a server took or a channel made, since it was made.
package struct CallCounts: Sendable, Hashable {
    package internal(set) var started = 0
    package internal(set) var succeeded = 0
    package internal(set) var failed = 0
    package internal(set) var lastStarted: Instant?

    static func + (one: CallCounts, other: CallCounts) -> CallCounts {
        CallCounts(
            started: one.started + other.started,
            succeeded: one.succeeded + other.succeeded,
            failed: one.failed + other.failed,
            lastStarted: [one.lastStarted, other.lastStarted].compactMap { $0 }.max()
        )
    }
}

/// What is known of a server at one moment.
package struct ServerSnapshot: Sendable {
    package let reference: ChannelzReference
    package let trace: ChannelzTrace
    package let calls: CallCounts
    /// Empty unless it listens.
    package let listeners: [ChannelzReference]
}

/// What is known of a channel, or of its way to one address, at one moment.
package struct ChannelSnapshot: Sendable {
    /// As gRPC's connectivity-semantics-and-api.md has them.
    package enum State: Sendable, Hashable {
        case idle
        case connecting
        case ready
        case transientFailure
        case shutdown
    }

    package let reference: ChannelzReference
    package let trace: ChannelzTrace
    package let state: State
    package let target: String
    package let calls: CallCounts
    /// Its ways to single addresses.
    package internal(set) var subchannels: [ChannelzReference] = []
    /// Its connections.
    package internal(set) var sockets: [ChannelzReference] = []
}

/// What is known of a connection, or of a place where a server listens, at one moment.
package struct SocketSnapshot: Sendable {
    /// One end of a connection.
    package enum Address: Sendable, Hashable {
        /// 4 or 16 bytes in network order.
        case ip([UInt8], port: Int)
        case path(String)
    }

    /// How TLS secures a connection. Certificates are in DER, and public.
    package struct Security: Sendable, Hashable {
        /// Such as `TLS 1.3`; empty before the handshake has ended. (The cipher suite is not told by NIOSSL.)
        package internal(set) var version = ""
        package internal(set) var localCertificate: [UInt8] = []
        package internal(set) var remoteCertificate: [UInt8] = []
    }

    package let reference: ChannelzReference
    package let local: Address?
    package let remote: Address?
    /// `nil` without TLS.
    package let security: Security?
    /// Who the other end is, where its certificate says so.
    package internal(set) var remoteName: String?
    package internal(set) var streams = CallCounts()
    package internal(set) var messagesSent = MessageCount()
    package internal(set) var messagesReceived = MessageCount()
    package internal(set) var keepalivesSent = 0
    /// Bytes that the peer may still send on the connection.
    package internal(set) var receiveWindow: Int?
    /// Bytes that may still be sent on the connection.
    package internal(set) var sendWindow: Int?
    package internal(set) var peerMaxConcurrentStreams: UInt32?
    /// The error code of the GOAWAY that arrived.
    package internal(set) var goAwayError: UInt32?
    /// Whether this end began the streams.
    package internal(set) var isClient = false
}

/// Some of a list that is paged by number.
package struct ChannelzPage<Element: Sendable>: Sendable {
    package let elements: [Element]
    /// Whether there are no more.
    package let isLast: Bool
}
