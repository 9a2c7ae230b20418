import Application
import Contracts
import RPC

extension RPCChannel {
    /// Sends the messages of a method of streams on as they come. Each waits until the one before it was taken, so who reads slowly
    /// slows down who writes, through the Gateway as well; nothing gathers here.
    func relaying(_ descriptor: MethodDescriptor) -> MethodHandler {
        let method = Method<RawMessage, RawMessage>(descriptor)
        switch descriptor.kind {
        case .unary: preconditionFailure("a unary call is forwarded whole")
        case .serverStreaming:
            return .serverStreaming(method) { request, responses, context in
                try await self.serverStreaming(method, request, options: Self.options(context)) { answers in
                    for try await answer in answers { try await responses.write(answer) }
                }
            }
        case .clientStreaming:
            return .clientStreaming(method) { requests, context in
                try await self.clientStreaming(method, options: Self.options(context)) { onward in
                    for try await request in requests { try await onward.write(request) }
                }.message
            }
        case .bidirectional:
            return .bidirectional(method) { requests, responses, context in
                try await self.bidirectional(method, options: Self.options(context)) { onward, answers in
                    try await Self.relay(requests, onward, answers, responses)
                }
            }
        }
    }

    private static func options(_ context: RPCContext) -> CallOptions { CallOptions(metadata: Backends.forwarded(context)) }

    private static func relay(
        _ requests: RequestStream<RawMessage>, _ onward: RequestWriter<RawMessage>,
        _ answers: ResponseStream<RawMessage>, _ responses: ResponseWriter<RawMessage>
    ) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    for try await request in requests { try await onward.write(request) }
                    onward.finish()
                } catch let error as RPCError where error.code == .cancelled || error.code == .unavailable {
                    // The service has ended the call, and says why in its answers; or the caller has, and nobody reads.
                }
                return false
            }
            group.addTask {
                for try await answer in answers { try await responses.write(answer) }
                return true
            }
            // A service may end the call while its caller still sends; then nobody waits for the rest.
            while let isAnswered = try await group.next(), !isAnswered {}
            group.cancelAll()
        }
    }
}
