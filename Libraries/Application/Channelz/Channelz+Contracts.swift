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
    init(_ trace: ChannelzTrace) {
        self.init(
            numEventsLogged: Int64(trace.count), creationTimestamp: .init(trace.created),
            events: trace.events.map { .init($0) })
    }
}

extension GRPCChannelzV1.ChannelTraceEvent {
    init(_ event: ChannelzTrace.Event) {
        self.init(
            description_p: event.description, severity: .init(event.severity), timestamp: .init(event.time),
            childRef: event.subchannel.map { .subchannelRef(.init($0)) })
    }
}

extension GRPCChannelzV1.ChannelTraceEvent.Severity {
    init(_ severity: ChannelzTrace.Severity) {
        switch severity {
        case .info: self = .ctInfo
        case .warning: self = .ctWarning
        case .error: self = .ctError
        }
    }
}

extension GRPCChannelzV1.Security {
    init(_ security: SocketSnapshot.Security) {
        self.init(
            model: .tls(
                .init(
                    cipherSuite: security.version.isEmpty ? nil : .otherName(security.version),
                    localCertificate: security.localCertificate, remoteCertificate: security.remoteCertificate)))
    }
}

extension GRPCChannelzV1.Server {
    init(_ server: ServerSnapshot) {
        self.init(
            ref: .init(server.reference),
            data: .init(
                trace: .init(server.trace),
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
            trace: .init(channel.trace),
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
        data.messagesSent = Int64(socket.messagesSent.count)
        data.messagesReceived = Int64(socket.messagesReceived.count)
        data.lastMessageSentTimestamp = socket.messagesSent.last.map { .init($0) }
        data.lastMessageReceivedTimestamp = socket.messagesReceived.last.map { .init($0) }
        data.keepAlivesSent = Int64(socket.keepalivesSent)
        let lastStream = socket.streams.lastStarted.map { GoogleProtobuf.Timestamp($0) }
        if socket.isClient { data.lastLocalStreamCreatedTimestamp = lastStream } else { data.lastRemoteStreamCreatedTimestamp = lastStream }
        data.localFlowControlWindow = socket.receiveWindow.map { .init(value: Int64($0)) }
        data.remoteFlowControlWindow = socket.sendWindow.map { .init(value: Int64($0)) }
        data.receivedGoawayError = socket.goAwayError.map { .init(value: $0) }
        data.peerMaxConcurrentStreams = socket.peerMaxConcurrentStreams ?? 0
        self.init(
            ref: .init(socket.reference),
            data: data,
            local: socket.local.map { .init($0) },
            remote: socket.remote.map { .init($0) },
            security: socket.security.map { .init($0) },
            remoteName: socket.remoteName ?? ""
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
