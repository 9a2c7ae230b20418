import Application
import Contracts
import RPC
import TestSupport
import Testing

@testable import Gateway

@Suite struct `What a context holds` {
    @Test func `is everything where there is room for it`() {
        let assembly = ContextAssembly(budget: 100, messages: [10, 20], memories: [30], passages: [20, 20])
        #expect(assembly.messages == 2 && assembly.memories == [0] && assembly.passages == [0, 1] && assembly.tokens == 100)
    }

    @Test func `is the newest message before all else, and nothing that is larger than the room`() {
        let full = ContextAssembly(budget: 100, messages: [90, 5], memories: [10, 10], passages: [1])
        #expect(full.messages == 1 && full.memories == [0] && full.passages == [] && full.tokens == 100)
        let none = ContextAssembly(budget: 20, messages: [21, 1], memories: [5], passages: [])
        #expect(none.messages == 0 && none.memories == [0] && none.tokens == 5)
    }

    @Test func `keeps a share for each, and gives away what one does not need`() {
        let shared = ContextAssembly(
            budget: 100, messages: Array(repeating: 10, count: 20), memories: Array(repeating: 5, count: 20),
            passages: Array(repeating: 5, count: 20))
        #expect(shared.messages == 5 && shared.memories.count == 5 && shared.passages.count == 5)
        let talk = ContextAssembly(budget: 100, messages: Array(repeating: 10, count: 20), memories: [], passages: [5])
        #expect(talk.messages == 9 && talk.passages == [0] && talk.tokens == 95)
    }

    @Test func `passes over a memory that does not fit, and never over a message`() {
        let assembly = ContextAssembly(budget: 40, messages: [5, 50, 1], memories: [50, 5], passages: [50, 5])
        #expect(assembly.messages == 1 && assembly.memories == [1] && assembly.passages == [1])
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `is within the budget, leaves nothing out that fits, and is the same again`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        func costs() -> [Int] { (0..<Int.random(in: 0...30, using: &random)).map { _ in Int.random(in: 4...200, using: &random) } }
        let (budget, messages, memories, passages) = (Int.random(in: 16...3_000, using: &random), costs(), costs(), costs())
        let assembly = ContextAssembly(budget: budget, messages: messages, memories: memories, passages: passages)

        let sum = messages.prefix(assembly.messages).reduce(0, +) + assembly.memories.map { memories[$0] }.reduce(0, +)
            + assembly.passages.map { passages[$0] }.reduce(0, +)
        #expect(assembly.tokens == sum && sum <= budget)
        let rest = budget - sum
        #expect(assembly.messages == messages.count || messages[assembly.messages] > rest)
        #expect(memories.indices.allSatisfy { assembly.memories.contains($0) || memories[$0] > rest })
        #expect(passages.indices.allSatisfy { assembly.passages.contains($0) || passages[$0] > rest })
        #expect(assembly == ContextAssembly(budget: budget, messages: messages, memories: memories, passages: passages))
    }

    @Test func `is counted in bytes of UTF-8, rounded up, and a frame`() {
        let estimate = TokenEstimate(bytesPerToken: 3)
        #expect(["", "a", "abc", "abcd", "héé"].map(estimate.tokens) == [4, 5, 5, 6, 6])
    }
}

@Suite struct `A wish for a context` {
    private func memorySearch(model: String, collection: String, embedding: [Float] = [1]) throws -> ChatV1.SearchMemoriesRequest {
        try ContextWish(
            .init(sessionId: "x", query: "x", tokenBudget: 100, collection: collection, modelId: model, embedding: embedding)
        ).memorySearch
    }

    @Test func `has memories looked for by meaning where the embedding is of their model, or of no collection's`() throws {
        let ofMemories = try memorySearch(model: MemoryModel.id, collection: "medical_knowledge")
        #expect(ofMemories.embedding == [1] && ofMemories.modelId == MemoryModel.id)
        let ofNoCollection = try memorySearch(model: "other", collection: "")
        #expect(ofNoCollection.embedding == [1] && ofNoCollection.modelId == "other")
        let ofAnother = try memorySearch(model: "other", collection: "images")
        #expect(ofAnother.embedding.isEmpty && ofAnother.modelId.isEmpty)
        let byWords = try memorySearch(model: MemoryModel.id, collection: "medical_knowledge", embedding: [])
        #expect(byWords.embedding.isEmpty && byWords.modelId.isEmpty)
    }
}
