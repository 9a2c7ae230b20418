internal import Contracts
internal import RPC

/// grpc.channelz.v1 over what the process's servers and channels count of themselves. It tells where callers are, so the
/// policy of its methods lets in nobody but those who run the system.
struct ChannelzService: GRPCChannelzV1.ChannelzProtocol {
    private var registry: ChannelzRegistry { .process }

    /// What a page holds when its caller leaves that open, and the most that it may ask for.
    private static let (defaultResults, maxResults) = (100, 500)

    func getServers(
        _ request: GRPCChannelzV1.GetServersRequest, context: RPCContext
    ) async throws -> GRPCChannelzV1.GetServersResponse {
        let limit = try Self.limit(request.maxResults)
        let page = await registry.servers(from: request.startServerId, atMost: limit)
        return .init(server: page.elements.map { .init($0) }, end: page.isLast)
    }

    func getServer(
        _ request: GRPCChannelzV1.GetServerRequest, context: RPCContext
    ) async throws -> GRPCChannelzV1.GetServerResponse {
        guard let server = await registry.server(id: request.serverId) else { throw Self.missing("server") }
        return .init(server: .init(server))
    }

    func getServerSockets(
        _ request: GRPCChannelzV1.GetServerSocketsRequest, context: RPCContext
    ) async throws -> GRPCChannelzV1.GetServerSocketsResponse {
        let limit = try Self.limit(request.maxResults)
        guard let page = registry.sockets(ofServer: request.serverId, from: request.startSocketId, atMost: limit) else {
            throw Self.missing("server")
        }
        return .init(socketRef: page.elements.map { .init($0) }, end: page.isLast)
    }

    func getTopChannels(
        _ request: GRPCChannelzV1.GetTopChannelsRequest, context: RPCContext
    ) async throws -> GRPCChannelzV1.GetTopChannelsResponse {
        let limit = try Self.limit(request.maxResults)
        let page = await registry.channels(from: request.startChannelId, atMost: limit)
        return .init(channel: page.elements.map { .init($0) }, end: page.isLast)
    }

    func getChannel(
        _ request: GRPCChannelzV1.GetChannelRequest, context: RPCContext
    ) async throws -> GRPCChannelzV1.GetChannelResponse {
        guard let channel = await registry.channel(id: request.channelId) else { throw Self.missing("channel") }
        return .init(channel: .init(channel))
    }

    func getSubchannel(
        _ request: GRPCChannelzV1.GetSubchannelRequest, context: RPCContext
    ) async throws -> GRPCChannelzV1.GetSubchannelResponse {
        guard let subchannel = await registry.subchannel(id: request.subchannelId) else { throw Self.missing("subchannel") }
        return .init(subchannel: .init(subchannel))
    }

    func getSocket(
        _ request: GRPCChannelzV1.GetSocketRequest, context: RPCContext
    ) async throws -> GRPCChannelzV1.GetSocketResponse {
        guard let socket = await registry.socket(id: request.socketId) else { throw Self.missing("socket") }
        return .init(socket: .init(socket))
    }

    private static func limit(_ wanted: Int64) throws(RPCError) -> Int {
        guard wanted >= 0 else { throw RPCError(.invalidArgument, "max_results is not below 0.") }
        return wanted == 0 ? defaultResults : min(Int(wanted), maxResults)
    }

    private static func missing(_ what: String) -> RPCError {
        RPCError(.notFound, "The program has no \(what) of that number.")
    }
}
