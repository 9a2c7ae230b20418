import Application
import Contracts
import RPC

/// What a caller asks of `BuildContext`.
struct ContextWish: Sendable {
    let session: String
    let query: String
    let budget: Int
    let estimate: TokenEstimate
    let messages: Int
    let memories: Int
    let passages: Int
    let request: GatewayV1.BuildContextRequest

    /// What the services check of it they answer with the names of the same fields.
    init(_ request: GatewayV1.BuildContextRequest) throws(RPCError) {
        var violations = FieldViolations()
        func limit(_ field: String, _ asked: Int32?, _ most: Int32, _ usual: Int32) -> Int {
            let value = asked ?? usual
            violations.check((0...most).contains(value), field, "It must be 0 to \(most).")
            return Int(value)
        }
        violations.check(!request.sessionId.isEmpty, "session_id", "The field is needed.")
        violations.check(
            (1...1_000).contains(request.query.unicodeScalars.count), "query", "It must have 1 to 1,000 characters.")
        violations.check(
            (16...1_000_000).contains(request.tokenBudget), "token_budget", "It must be 16 to 1,000,000.")
        // NaN is not within the bounds either.
        violations.check(
            request.bytesPerToken == 0 || (1...8).contains(request.bytesPerToken), "bytes_per_token", "It must be 1 to 8, or 0 for 3.")
        violations.check(request.lastSequence >= 0, "last_sequence", "It must be 0 or the sequence of a message.")
        messages = limit("message_limit", request.messageLimit, 100, 20)
        memories = limit("memory_limit", request.memoryLimit, 50, 10)
        passages = request.collection.isEmpty ? 0 : limit("passage_limit", request.passageLimit, 50, 5)
        try violations.throwIfAny()
        session = request.sessionId
        query = request.query
        budget = Int(request.tokenBudget)
        estimate = TokenEstimate(bytesPerToken: request.bytesPerToken == 0 ? 3 : request.bytesPerToken)
        self.request = request
    }

    var newestMessages: ChatV1.ListMessagesRequest {
        // Asked even if none is wanted: whose conversation it is, Chat knows.
        .init(
            sessionId: session, pageSize: Int32(max(1, messages)), newestFirst: true, lastSequence: request.lastSequence)
    }

    /// By meaning too where the embedding is of the memories' model, or of no collection's: then Chat says what is wrong with it.
    var memorySearch: ChatV1.SearchMemoriesRequest {
        var search = ChatV1.SearchMemoriesRequest(query: query, asOf: request.asOf, limit: Int32(memories))
        if !request.embedding.isEmpty, request.modelId == MemoryModel.id || request.collection.isEmpty {
            search.embedding = request.embedding
            search.modelId = request.modelId
        }
        return search
    }

    var passageSearch: VectorsV1.SearchRequest {
        .init(
            collection: request.collection, modelId: request.modelId, embedding: request.embedding, limit: Int32(passages),
            queryText: query)
    }
}
