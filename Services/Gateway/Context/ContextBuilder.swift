import Application
import Contracts
import RPC
import Time

/// Puts together what a model is told: asks Chat and Vectors at once, and answers with what came in time and fits.
struct ContextBuilder: Sendable {
    let backends: Backends

    /// Throws what a service refuses the caller for: a conversation that is not theirs, an embedding of another model.
    func answer(
        _ request: GatewayV1.BuildContextRequest, context: RPCContext
    ) async throws -> GatewayV1.BuildContextResponse {
        let wish = try ContextWish(request)
        // A part that is not there is marked at once, not waited for.
        let options = CallOptions(metadata: Backends.forwarded(context), waitForReady: false)
        let shared = CallOptions(metadata: Backends.ofCaller(context), waitForReady: false)
        return try await PartsBudget.within(context.deadline) {
            async let messages = PartialAnswer.of(.chat) { () async throws(RPCError) in
                try await ChatV1.ChatServiceClient(backends[.chat]).listMessages(wish.newestMessages, options: options)
            }
            async let memories = PartialAnswer.of(.chat) { () async throws(RPCError) -> ChatV1.SearchMemoriesResponse in
                guard wish.memories > 0 else { return .init() }
                return try await ChatV1.MemoriesServiceClient(backends[.chat]).searchMemories(wish.memorySearch, options: options)
            }
            async let passages = PartialAnswer.of(.vectors) { () async throws(RPCError) -> VectorsV1.SearchResponse in
                guard wish.passages > 0 else { return .init() }
                return try await VectorsV1.VectorsServiceClient(backends[.vectors]).search(wish.passageSearch, options: shared)
            }
            return try await Self.assemble(wish, messages, memories, passages)
        }
    }

    private static func assemble(
        _ wish: ContextWish, _ messages: PartialAnswer<ChatV1.ListMessagesResponse>,
        _ memories: PartialAnswer<ChatV1.SearchMemoriesResponse>, _ passages: PartialAnswer<VectorsV1.SearchResponse>
    ) throws(RPCError) -> GatewayV1.BuildContextResponse {
        for error in [messages.error, memories.error, passages.error].compactMap({ $0 }) where isTheCallers(error) {
            throw named(error)
        }
        // However many tokens there may be, an answer has so many bytes, shared out as the tokens are at first.
        let said = AnswerBytes.fitting((messages.answer?.messages ?? []).prefix(wish.messages), upTo: AnswerBytes.most / 2)
        let known = AnswerBytes.fitting(memories.answer?.memories ?? [], upTo: AnswerBytes.most / 4)
        let found = AnswerBytes.fitting(passages.answer?.matches ?? [], upTo: AnswerBytes.most / 4)
        let costs = (
            messages: said.map { wish.estimate.tokens($0.content) },
            memories: known.map { wish.estimate.tokens($0.memory?.content ?? "") },
            passages: found.map { wish.estimate.tokens($0.content) }
        )
        let assembly = ContextAssembly(
            budget: wish.budget, messages: costs.messages, memories: costs.memories, passages: costs.passages)
        // Chat's part is as its worse half.
        var parts = [messages.error == nil ? memories.part : messages.part]
        if wish.passages > 0 { parts.append(passages.part) }
        return GatewayV1.BuildContextResponse(
            messages: (0..<assembly.messages).reversed().map {
                .init(message: said[$0], tokenCount: Int32(costs.messages[$0]))
            },
            memories: assembly.memories.map { .init(found: known[$0], tokenCount: Int32(costs.memories[$0])) },
            passages: assembly.passages.map {
                .init(
                    match: found[$0], collection: passages.answer?.collection ?? wish.request.collection, modelId: wish.request.modelId,
                    position: passages.answer?.position ?? 0, exact: passages.answer?.exact ?? false,
                    tokenCount: Int32(costs.passages[$0]))
            },
            tokenCount: Int32(assembly.tokens), parts: parts, asOf: memories.answer?.asOf)
    }

    private static func isTheCallers(_ error: RPCError) -> Bool {
        switch error.code {
        case .invalidArgument, .notFound, .unauthenticated, .permissionDenied, .failedPrecondition, .outOfRange: true
        default: false
        }
    }

    /// With the names of this request's fields where the service's differ.
    private static func named(_ error: RPCError) -> RPCError {
        guard let wrong = error.detail(GoogleRPC.BadRequest.self)?.fieldViolations else { return error }
        return .invalid(wrong.map { ($0.field == "query_text" ? "query" : $0.field, $0.description) })
    }
}
