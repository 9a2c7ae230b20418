internal import Contracts
internal import Foundation
internal import RPC

extension PatientStory {
    /// Which of the medical texts are remembered of the person, and as what. The second took the place of the first.
    private static let remembered: [(text: String, category: ChatV1.MemoryCategory)] = [
        ("I48.4", .medicalHistory), ("I48.20", .medicalHistory), ("CHEBI:50249", .medication), ("CHEBI:35821", .medication),
    ]

    /// What is asked, in other words than what is remembered.
    private func question() throws -> MedicalTexts.Question {
        guard let question = texts.questions.first(where: { $0.text == "irregular heartbeat that comes and goes" }) else {
            throw CommandFailure("the question of the story is not among the medical texts.")
        }
        return question
    }

    /// Facts with their embeddings, one in the place of another, found by what a question means.
    func remember() async throws {
        let memories = ChatV1.MemoriesServiceClient(patient.channel)
        var before: ChatV1.Memory?
        for (place, (id, category)) in Self.remembered.enumerated() {
            guard let text = texts.documents.first(where: { $0.id == id }) else {
                throw CommandFailure("the text \(id) of the story is not among the medical texts.")
            }
            let request = ChatV1.RememberRequest(
                clientId: "sample-\(id)", category: category, content: text.content, importance: 0.8,
                supersedes: place == 1 ? before?.id : nil, embedding: text.embedding, modelId: MedicalTexts.model)
            before = try await patient.patiently { options throws(RPCError) in
                try await memories.remember(request, options: options)
            }.memory
        }
        let question = try question()
        let found = try await patient.patiently { options throws(RPCError) in
            try await memories.searchMemories(
                .init(query: question.text, limit: 2, embedding: question.embedding, modelId: MedicalTexts.model), options: options)
        }.memories
        progress.step("memories", "“\(question.text)” finds, by words and by meaning,")
        for one in found {
            let similarity = (one.similarity ?? 0).formatted(.number.precision(.fractionLength(3)))
            let ways = [one.rankByWords.map { "rank \($0) by words" }, one.rankByMeaning.map { "rank \($0) by meaning, \(similarity)" }]
            progress.step("", "“\(one.memory?.content ?? "")” (\(ways.compactMap(\.self).joined(separator: ", ")))")
        }
    }

    /// What a model is told before it answers the question.
    func buildContext() async throws {
        let contexts = GatewayV1.ContextServiceClient(patient.channel)
        let question = try question()
        let budget: Int32 = 800
        let context = try await patient.patiently { options throws(RPCError) in
            try await contexts.buildContext(
                .init(
                    sessionId: session, query: question.text, tokenBudget: budget, collection: MedicalTexts.collection,
                    modelId: MedicalTexts.model, embedding: question.embedding),
                options: options)
        }
        progress.step(
            "context",
            "for a model: \(context.messages.count) messages, \(context.memories.count) memories and \(context.passages.count) passages, \(context.tokenCount) of \(budget) tokens, each with where it comes from")
    }
}
