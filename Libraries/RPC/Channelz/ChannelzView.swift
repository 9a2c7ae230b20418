internal import Time

/// What channelz knows of a channel.
final class ChannelzView: ChannelzChannel {
    let channelzID = ChannelzRegistry.process.nextID()
    private let created = Instant.now()
    private let targetName: String
    private let lanes: [ChannelLane]

    init(targetName: String, lanes: [ChannelLane]) {
        self.targetName = targetName
        self.lanes = lanes
    }

    /// What channelz tells of the channel. It goes once to the event loop of each lane.
    func snapshot() async -> ChannelSnapshot {
        var states: [ChannelSnapshot.State] = []
        var calls = CallCounts()
        var traces: [ChannelzTrace] = []
        var subchannels: [ChannelzReference] = []
        for lane in lanes {
            let (state, trace, counts, references) = await lane.executor.ask {
                (
                    ChannelSnapshot.State(lane.state),
                    lane.trace,
                    lane.everySubchannel.reduce(lane.endedCalls) { $0 + $1.calls },
                    lane.everySubchannel.map(\.reference)
                )
            }
            states.append(state)
            traces.append(trace)
            calls = calls + counts
            subchannels += references
        }
        return ChannelSnapshot(
            reference: ChannelzReference(id: channelzID, name: targetName),
            trace: ChannelzTrace(joining: traces, created: created),
            state: ChannelSnapshot.State(of: states), target: targetName, calls: calls, subchannels: subchannels)
    }

    func subchannelSnapshot(_ id: Int64) async -> ChannelSnapshot? {
        for lane in lanes {
            let snapshot = await lane.executor.ask {
                lane.everySubchannel.first { $0.reference.id == id }?.snapshot()
            }
            if let snapshot { return snapshot }
        }
        return nil
    }

    func socketSnapshot(_ id: Int64) async -> SocketSnapshot? {
        for lane in lanes {
            let socket = await lane.executor.ask {
                lane.everySubchannel.lazy.flatMap(\.connections.values).first { $0.reference.id == id }?.snapshot()
            }
            if let socket { return socket }
        }
        return nil
    }
}

extension Subchannel {
    /// The calls of all its connections, those that are gone too.
    var calls: CallCounts { connections.values.reduce(endedCalls) { $0 + $1.counts.callsNow } }

    /// What channelz tells of the subchannel, on its event loop.
    func snapshot() -> ChannelSnapshot {
        ChannelSnapshot(
            reference: reference,
            trace: trace,
            state: ChannelSnapshot.State(connectivity.state),
            target: reference.name,
            calls: calls,
            sockets: connections.values.map(\.reference).sorted { $0.id < $1.id }
        )
    }
}

extension ClientConnection {
    /// What channelz tells of the connection, on its event loop.
    func snapshot() -> SocketSnapshot {
        var snapshot = http.snapshot(reference, certificate)
        snapshot.isClient = true
        snapshot.count(counts)
        return snapshot
    }
}

extension ChannelSnapshot.State {
    init(_ state: ConnectivityState) {
        switch state {
        case .idle: self = .idle
        case .connecting: self = .connecting
        case .ready: self = .ready
        case .transientFailure: self = .transientFailure
        case .shutdown: self = .shutdown
        }
    }

    /// The state of a channel is the best of those below it.
    init(of states: [ChannelSnapshot.State]) {
        let order: [ChannelSnapshot.State] = [.ready, .connecting, .idle, .transientFailure]
        self = order.first { states.contains($0) } ?? .shutdown
    }
}
