internal import Synchronization

/// Every server and channel of the process, for gRPC's channelz (proposal A14). It keeps none of them alive.
///
/// Servers and channels enter themselves. What is read is counted on event loops, so every question goes there and comes back.
package final class ChannelzRegistry: Sendable {
    /// The one that everything of the process enters itself into: the numbers are the process's.
    package static let process = ChannelzRegistry()

    private let lastID = Atomic<Int64>(0)
    private let servers = Mutex<[Int64: WeakServer]>([:])

    private let channels = Mutex<[Int64: any ChannelzChannel]>([:])

    private struct WeakServer {
        weak var server: (any ChannelzServer)?
    }

    private init() {}

    /// A number that nothing else has.
    func nextID() -> Int64 { lastID.add(1, ordering: .relaxed).newValue }

    func enter(_ server: any ChannelzServer) {
        servers.withLock { $0[server.channelzID] = WeakServer(server: server) }
    }

    func leave(server id: Int64) {
        _ = servers.withLock { $0.removeValue(forKey: id) }
    }

    func enter(_ channel: any ChannelzChannel) {
        channels.withLock { $0[channel.channelzID] = channel }
    }

    func leave(channel id: Int64) {
        _ = channels.withLock { $0.removeValue(forKey: id) }
    }

    private func server(_ id: Int64) -> (any ChannelzServer)? { servers.withLock { $0[id]?.server } }

    private var everyServer: [any ChannelzServer] {
        servers.withLock { servers in servers.values.compactMap(\.server) }.sorted { $0.channelzID < $1.channelzID }
    }

    private var everyChannel: [any ChannelzChannel] {
        channels.withLock { Array($0.values) }.sorted { $0.channelzID < $1.channelzID }
    }

    /// Channels in the order of their numbers, from one number on.
    package func channels(from start: Int64, atMost limit: Int) async -> ChannelzPage<ChannelSnapshot> {
        let (channels, isLast) = ChannelzRegistry.page(everyChannel, from: start, atMost: limit) { $0.channelzID }
        var snapshots: [ChannelSnapshot] = []
        for channel in channels { snapshots.append(await channel.snapshot()) }
        return ChannelzPage(elements: snapshots, isLast: isLast)
    }

    package func channel(id: Int64) async -> ChannelSnapshot? {
        await channels.withLock { $0[id] }?.snapshot()
    }

    package func subchannel(id: Int64) async -> ChannelSnapshot? {
        for channel in everyChannel {
            if let subchannel = await channel.subchannelSnapshot(id) { return subchannel }
        }
        return nil
    }

    /// Servers in the order of their numbers, from one number on.
    package func servers(from start: Int64, atMost limit: Int) async -> ChannelzPage<ServerSnapshot> {
        let (servers, isLast) = ChannelzRegistry.page(everyServer, from: start, atMost: limit) { $0.channelzID }
        var snapshots: [ServerSnapshot] = []
        for server in servers { snapshots.append(await server.snapshot()) }
        return ChannelzPage(elements: snapshots, isLast: isLast)
    }

    package func server(id: Int64) async -> ServerSnapshot? {
        await server(id)?.snapshot()
    }

    /// The connections of a server in the order of their numbers; `nil` when there is no such server.
    package func sockets(ofServer id: Int64, from start: Int64, atMost limit: Int) -> ChannelzPage<ChannelzReference>? {
        guard let server = server(id) else { return nil }
        let (sockets, isLast) = ChannelzRegistry.page(
            server.socketReferences.sorted { $0.id < $1.id }, from: start, atMost: limit, by: \.id)
        return ChannelzPage(elements: sockets, isLast: isLast)
    }

    /// A connection, or a place where a server listens.
    package func socket(id: Int64) async -> SocketSnapshot? {
        for server in everyServer {
            if let socket = await server.socketSnapshot(id) { return socket }
        }
        for channel in everyChannel {
            if let socket = await channel.socketSnapshot(id) { return socket }
        }
        return nil
    }

    private static func page<Element>(
        _ sorted: [Element], from start: Int64, atMost limit: Int, by id: (Element) -> Int64
    ) -> ([Element], isLast: Bool) {
        let rest = sorted.drop { id($0) < start }
        return (Array(rest.prefix(limit)), rest.count <= limit)
    }
}

/// A server, as it answers questions about itself.
protocol ChannelzServer: AnyObject, Sendable {
    var channelzID: Int64 { get }
    /// Its connections.
    var socketReferences: [ChannelzReference] { get }
    func snapshot() async -> ServerSnapshot
    /// One of its connections, or its listening socket; `nil` when it has none of the number.
    func socketSnapshot(_ id: Int64) async -> SocketSnapshot?
}

/// What stands for a channel here. It is not the channel itself, which is to end when nobody makes calls on it any more; and
/// an object that somebody refers to weakly pays for it at every call, so it is not that either.
protocol ChannelzChannel: AnyObject, Sendable {
    var channelzID: Int64 { get }
    func snapshot() async -> ChannelSnapshot
    /// One of its ways to an address; `nil` when it has none of the number.
    func subchannelSnapshot(_ id: Int64) async -> ChannelSnapshot?
    /// One of its connections; `nil` when it has none of the number.
    func socketSnapshot(_ id: Int64) async -> SocketSnapshot?
}

extension LoopExecutor {
    /// Asks something on the loop, and brings the answer back.
    func ask<Answer: Sendable>(_ question: @escaping @Sendable () -> Answer) async -> Answer {
        await withCheckedContinuation { continuation in
            run { continuation.resume(returning: question()) }
        }
    }
}
