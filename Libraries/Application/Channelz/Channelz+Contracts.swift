internal import Contracts
internal import RPC
internal import Time

extension GRPCChannelzV1.ServerRef {
    init(_ reference: ChannelzReference) { self.init(serverId: reference.id, name: reference.name) }
}

extension GRPCChannelzV1.ChannelRef {
    init(_ reference: ChannelzReference) { self.init(channelId: reference.id, name: reference.name) }
}

extension GRPCChannelzV1.SubchannelRef {
    init(_ reference: ChannelzReference) { self.init(subchannelId: reference.id, name: reference.name) }
}

extension GRPCChannelzV1.SocketRef {
    init(_ reference: ChannelzReference) { self.init(socketId: reference.id, name: reference.name) }
}

extension GRPCChannelzV1.ChannelTrace {
    /// Events are not kept; the log has them.
    init(created: Instant) { self.init(creationTimestamp: .init(created)) }
}

extension GRPCChannelzV1.Server {
    init(_ server: ServerSnapshot) {
        self.init(
            ref: .init(server.reference),
            data: .init(
                trace: .init(created: server.created),
                callsStarted: Int64(server.calls.started),
                callsSucceeded: Int64(server.calls.succeeded),
                callsFailed: Int64(server.calls.failed),
                lastCallStartedTimestamp: server.calls.lastStarted.map { .init($0) }
            ),
            listenSocket: server.listeners.map { .init($0) }
        )
    }
}

extension GRPCChannelzV1.Channel {
    init(_ channel: ChannelSnapshot) {
        self.init(
            ref: .init(channel.reference), data: .init(channel),
            subchannelRef: channel.subchannels.map { .init($0) })
    }
}

extension GRPCChannelzV1.Subchannel {
    init(_ subchannel: ChannelSnapshot) {
        self.init(
            ref: .init(subchannel.reference), data: .init(subchannel), socketRef: subchannel.sockets.map { .init($0) })
    }
}

extension GRPCChannelzV1.ChannelData {
    init(_ channel: ChannelSnapshot) {
        self.init(
            state: .init(state: .init(channel.state)),
            target: channel.target,
            trace: .init(created: channel.created),
            callsStarted: Int64(channel.calls.started),
            callsSucceeded: Int64(channel.calls.succeeded),
            callsFailed: Int64(channel.calls.failed),
            lastCallStartedTimestamp: channel.calls.lastStarted.map { .init($0) }
        )
    }
}

extension GRPCChannelzV1.ChannelConnectivityState.State {
    init(_ state: ChannelSnapshot.State) {
        switch state {
        case .idle: self = .idle
        case .connecting: self = .connecting
        case .ready: self = .ready
        case .transientFailure: self = .transientFailure
        case .shutdown: self = .shutdown
        }
    }
}

extension GRPCChannelzV1.Socket {
    init(_ socket: SocketSnapshot) {
        var data = GRPCChannelzV1.SocketData()
        data.streamsStarted = Int64(socket.streams.started)
        data.streamsSucceeded = Int64(socket.streams.succeeded)
        data.streamsFailed = Int64(socket.streams.failed)
        data.messagesSent = Int64(socket.messagesSent)
        data.messagesReceived = Int64(socket.messagesReceived)
        data.keepAlivesSent = Int64(socket.keepalivesSent)
        let lastStream = socket.streams.lastStarted.map { GoogleProtobuf.Timestamp($0) }
        if socket.isClient { data.lastLocalStreamCreatedTimestamp = lastStream } else { data.lastRemoteStreamCreatedTimestamp = lastStream }
        data.localFlowControlWindow = socket.receiveWindow.map { .init(value: Int64($0)) }
        data.remoteFlowControlWindow = socket.sendWindow.map { .init(value: Int64($0)) }
        data.peerMaxConcurrentStreams = socket.peerMaxConcurrentStreams ?? 0
        self.init(
            ref: .init(socket.reference),
            data: data,
            local: socket.local.map { .init($0) },
            remote: socket.remote.map { .init($0) },
            security: socket.isSecured ? .init(model: .tls(.init())) : nil
        )
    }
}

extension GRPCChannelzV1.Address {
    init(_ address: SocketSnapshot.Address) {
        switch address {
        case .ip(let bytes, let port): self.init(address: .tcpipAddress(.init(ipAddress: bytes, port: Int32(clamping: port))))
        case .path(let path): self.init(address: .udsAddress(.init(filename: path)))
        }
    }
}
