internal import HTTP2
internal import NIOCore

extension RPCServer: ChannelzServer {
    /// What channelz tells of the server. It goes once to each event loop that has a connection.
    func snapshot() async -> ServerSnapshot {
        let (trace, ended, listener, connections) = channelzState
        var calls = ended
        for (_, connections) in Dictionary(grouping: connections, by: { ObjectIdentifier($0.executor) }) {
            guard let executor = connections.first?.executor else { continue }
            calls = calls + (await executor.ask { connections.reduce(CallCounts()) { $0 + $1.counts.callsNow } })
        }
        return ServerSnapshot(
            reference: ChannelzReference(id: channelzID, name: channelzName),
            trace: trace,
            calls: calls,
            listeners: listener == nil ? [] : [listenerReference]
        )
    }

    var socketReferences: [ChannelzReference] { channelzState.connections.map(\.reference) }

    /// One of the server's connections, or its listening socket.
    func socketSnapshot(_ id: Int64) async -> SocketSnapshot? {
        let (_, _, listener, connections) = channelzState
        if let listener, listenerReference.id == id {
            return SocketSnapshot(
                reference: listenerReference, local: .init(listener.localAddress), remote: nil, security: isSecured ? .init() : nil)
        }
        guard let connection = connections.first(where: { $0.reference.id == id }) else { return nil }
        return await connection.executor.ask { connection.snapshot() }
    }

    private var channelzName: String { "server of \(offered.sorted().joined(separator: ", "))" }
}

extension ServerConnection {
    /// What channelz tells of the connection, on its event loop.
    func snapshot() -> SocketSnapshot {
        var snapshot = http.snapshot(reference, certificate)
        snapshot.count(counts)
        return snapshot
    }
}

extension SocketSnapshot {
    mutating func count(_ counts: ConnectionCounts) {
        streams = counts.streamsNow
        messagesSent = counts.messagesSent
        messagesReceived = counts.messagesReceived
        keepalivesSent = counts.keepalivesSent
        goAwayError = counts.goAwayError
    }
}

extension HTTP2Connection {
    /// What the connection itself knows.
    func snapshot(_ reference: ChannelzReference, _ certificate: PeerCertificate?) -> SocketSnapshot {
        var snapshot = SocketSnapshot(
            reference: reference, local: .init(localAddress), remote: .init(remoteAddress),
            security: certificate?.security)
        snapshot.remoteName = certificate?.identity?.name
        snapshot.receiveWindow = session.receiveWindow
        snapshot.sendWindow = session.sendWindow
        snapshot.peerMaxConcurrentStreams = session.peerMaxConcurrentStreams
        return snapshot
    }
}
