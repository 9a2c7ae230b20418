import Application
import Audit
import Contracts
import Logging
import RPC

/// A channel to each service, and how a call of the Gateway's own caller goes on to it.
struct Backends: Sendable {
    private let channelOf: [Backend: RPCChannel]

    /// - Parameter interceptors: of the channel to a service, the outermost first.
    init(
        _ configuration: GatewayConfiguration, logger: Logger, interceptors: (Backend) -> [any ClientInterceptor]
    ) {
        var channelOf: [Backend: RPCChannel] = [:]
        for (backend, address) in configuration.backends {
            channelOf[backend] = RPCChannel(
                target: (host: address.host, port: address.port), tls: configuration.common.clientTLS,
                configuration: BackendConfig.channel(to: backend, connections: configuration.common.eventLoops), interceptors: interceptors(backend), logger: logger)
        }
        self.channelOf = channelOf
    }

    var channels: [RPCChannel] { Array(channelOf.values) }

    subscript(_ backend: Backend) -> RPCChannel {
        guard let channel = channelOf[backend] else { preconditionFailure("every backend has an address") }
        return channel
    }

    /// Sends the bytes of a request on and returns those of the answer. Of the service's metadata it is passed on whether the answer was given before, which no stream
    /// says, and its error is the caller's: its sentence was written for the caller too.
    func forward(_ request: [UInt8], to backend: Backend, _ context: RPCContext) async throws(RPCError) -> [UInt8] {
        let method = Method<RawMessage, RawMessage>(context.method)
        let response = try await self[backend].unaryResponse(
            method, RawMessage(request), options: CallOptions(metadata: Self.forwarded(context)))
        if let replayed = response.metadata[IdempotencyKey.replayed] { context.responseMetadata.set(IdempotencyKey.replayed, replayed) }
        return response.message.bytes
    }

    /// What a service needs to know of the call: who calls, for which patient and why, under which name the call is logged, and by which key it is
    /// known when it is made again. (The trace goes on by itself.)
    static func forwarded(_ context: RPCContext) -> Metadata {
        var metadata = ofCaller(context)
        for field in [PatientAccess.header, IdempotencyKey.field] {
            for value in context.metadata.values(for: field) { metadata.add(field, value: value) }
        }
        return metadata
    }

    /// The same for what is asked for the caller, and is nobody's record.
    static func ofCaller(_ context: RPCContext) -> Metadata {
        var metadata: Metadata = ["x-request-id": context.requestID]
        for field in ["authorization", PurposeOfUse.field] {
            if let value = context.metadata[field] { metadata[field] = value }
        }
        return metadata
    }
}
