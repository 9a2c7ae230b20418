internal import Application
internal import Contracts
internal import Foundation
internal import HNSW
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Chat

extension [Float] {
    /// The farther apart two axes are, the smaller is the cosine of what points along them.
    fileprivate static func along(_ axis: Int, dimension: Int = 384) -> [Float] {
        (0..<dimension).map { 1 / Float(1 + abs($0 - axis)) }
    }
}

extension MemoriesService {
    @discardableResult
    fileprivate func keep(
        _ content: String, along axis: Int? = nil, as clientID: String? = nil, until expiresAt: Instant? = nil, insteadOf old: ChatV1.Memory? = nil,
        importance: Double? = nil, by caller: Caller
    ) async throws -> ChatV1.Memory {
        let answer = try await remember(
            .init(
                clientId: clientID ?? UUID().uuidString, category: .lifestyle, content: content, importance: importance,
                expiresAt: expiresAt.map { .init($0) }, supersedes: old?.id, embedding: axis.map { [Float].along($0) } ?? [],
                modelId: axis == nil ? "" : MemoryModel.id),
            context: caller.context)
        return try #require(answer.memory)
    }

    fileprivate func search(
        _ words: String = "", near axis: Int? = nil, at moment: GoogleProtobuf.Timestamp? = nil, limit: Int32 = 0, by caller: Caller
    ) async throws -> [ChatV1.FoundMemory] {
        try await searchMemories(
            .init(
                query: words, asOf: moment, limit: limit, embedding: axis.map { [Float].along($0) } ?? [], modelId: axis == nil ? "" : MemoryModel.id),
            context: caller.context
        ).memories
    }
}

extension [ChatV1.FoundMemory] {
    fileprivate var contents: [String] { compactMap(\.memory?.content) }
}

private func withMemories(_ body: (MemoriesService, _ ada: Caller, _ bob: Caller) async throws -> Void) async throws {
    try await withChatDatabase { postgres in
        try await body(MemoriesService(memories: MemoryRepository(postgres: postgres)), Caller(), Caller())
    }
}

@Suite struct `A memory with an embedding` {
    @Test func `is found by its meaning, by its person alone`() async throws {
        try await withMemories { service, ada, bob in
            try await service.keep("Walks the dog", along: 10, by: ada)
            try await service.keep("Sleeps badly", along: 200, by: ada)
            try await service.keep("Has two cats", by: ada)
            try await service.keep("Swims", along: 11, by: bob)

            let found = try await service.search(near: 11, by: ada)

            #expect(found.contents == ["Walks the dog", "Sleeps badly"])
            #expect(found.map(\.rankByMeaning) == [1, 2] && found.allSatisfy { $0.rankByWords == nil && $0.relevance == 0 })
            let exact = ExactCosine(.along(11))
            let similarities = [10, 200].map { Double(exact.similarity(to: ExactCosine.bytes(of: .along($0)))) }
            #expect(found.compactMap(\.similarity) == similarities)
            #expect(zip(found, [61.0, 62]).allSatisfy { abs($0.score - 1 / $1) < 1e-6 })
            #expect(found.allSatisfy { $0.memory?.modelId == MemoryModel.id && $0.recency > 0.999 })
        }
    }

    @Test func `is found by words and meaning, what both rank high first, and each says how`() async throws {
        try await withMemories { service, ada, _ in
            try await service.keep("Takes metoprolol", along: 100, by: ada)
            try await service.keep("Takes a beta blocker", along: 10, by: ada)
            try await service.keep("Was told to stop metoprolol", by: ada)
            try await service.keep("Likes tea", along: 300, by: ada)

            let found = try await service.search("metoprolol", near: 10, by: ada)
            let words = try await service.search("metoprolol", by: ada)

            #expect(found.contents == ["Takes metoprolol", "Was told to stop metoprolol", "Takes a beta blocker", "Likes tea"])
            let byContent = Dictionary(uniqueKeysWithValues: found.map { ($0.memory?.content ?? "", $0) })
            let both = try #require(byContent["Takes metoprolol"])
            let rank = try #require(both.rankByWords)
            #expect(both.rankByMeaning == 2 && both.relevance > 0)
            #expect(abs(both.score - (1 / Double(60 + rank) + 1 / 62)) < 1e-6)
            let near = try #require(byContent["Takes a beta blocker"])
            #expect(near.rankByMeaning == 1 && near.rankByWords == nil && near.relevance == 0)
            let held = try #require(byContent["Was told to stop metoprolol"])
            #expect(held.rankByMeaning == nil && held.similarity == nil && held.rankByWords != nil && held.relevance > 0)
            // By words alone as before, and with its place.
            #expect(words.map(\.rankByWords) == [1, 2] && words.allSatisfy { $0.rankByMeaning == nil && $0.similarity == nil })
            #expect(try await service.search("metoprolol", near: 10, limit: 1, by: ada).contents == ["Takes metoprolol"])
        }
    }

    @Test func `that another took the place of is found as of then, never now, and stays history`() async throws {
        try await withMemories { service, ada, _ in
            let old = try await service.keep("Runs every day", along: 10, by: ada)
            let new = try await service.keep("Stopped running", along: 12, insteadOf: old, by: ada)

            #expect(try await service.search(near: 10, by: ada).contents == ["Stopped running"])
            #expect(try await service.search("runs", near: 10, by: ada).contents == ["Stopped running"])
            #expect(try await service.search(near: 10, at: old.createdAt, by: ada).contents == ["Runs every day"])
            #expect(try await service.search(near: 10, at: new.createdAt, by: ada).contents == ["Stopped running"])
            let history = try await service.listMemoryHistory(.init(memoryId: new.id), context: ada.context).memories
            #expect(history.map(\.content) == ["Runs every day", "Stopped running"])
            #expect(history.map(\.modelId) == [MemoryModel.id, MemoryModel.id])

            _ = try await service.forgetMemories(.init(memoryIds: [new.id]), context: ada.context)
            #expect(try await service.search(near: 12, by: ada).isEmpty)
            #expect(try await service.search(near: 10, at: old.createdAt, by: ada).contents == ["Runs every day"])
        }
    }

    @Test func `that has ended is not found by its meaning, and was`() async throws {
        try await withMemories { service, ada, _ in
            let memory = try await service.keep("Has a cold", along: 10, until: .now() + .seconds(3_600), by: ada)
            #expect(try await service.search(near: 10, by: ada).contents == ["Has a cold"])

            try await service.memories.letPass(7_200, of: ada)

            #expect(try await service.search(near: 10, by: ada).isEmpty)
            let began = try #require(memory.createdAt.flatMap { Instant($0) }) - .seconds(7_200)
            #expect(try await service.search(near: 10, at: .init(began), by: ada).contents == ["Has a cold"])
        }
    }

    @Test func `or the one that takes its place is found, never both or neither, whenever one searches`() async throws {
        try await withMemories { service, ada, _ in
            var newest = try await service.keep("Weighs 0 kg", along: 10, by: ada)
            let counts = try await withThrowingTaskGroup(of: Set<Int>.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        var counts: Set<Int> = []
                        do {
                            while !Task.isCancelled { counts.insert(try await service.search("weighs", near: 10, by: ada).count) }
                        } catch {
                            // What was cancelled in a statement says nothing of what it would have found.
                            guard Task.isCancelled else { throw error }
                        }
                        return counts
                    }
                }
                for number in 1...60 {
                    newest = try await service.keep("Weighs \(number) kg", along: number, insteadOf: newest, by: ada)
                }
                group.cancelAll()
                return try await group.reduce(into: Set()) { $0.formUnion($1) }
            }

            #expect(counts == [1])
            #expect(try await service.search("weighs", near: 10, by: ada).contents == ["Weighs 60 kg"])
        }
    }

    @Test func `gets it when it is remembered again, or another, and only with its own content`() async throws {
        try await withMemories { service, ada, bob in
            let bare = try await service.keep("Walks the dog", as: "a", by: ada)
            #expect(bare.modelId == nil)
            #expect(try await service.search(near: 10, by: ada).isEmpty)

            let other = try await service.keep("Walks the cat", along: 300, as: "a", by: ada)
            #expect(other == bare)
            let given = try await service.keep("Walks the dog", along: 10, as: "a", by: ada)
            let same = try await service.keep("Walks the dog", along: 10, as: "b", by: ada)
            #expect(given.id == bare.id && given.modelId == MemoryModel.id && same == given)
            #expect(try await service.search(near: 10, by: ada).first?.similarity == 1)
            try await service.keep("Walks the dog", along: 200, as: "b", by: ada)
            #expect(try await service.search(near: 200, by: ada).first?.similarity == 1)
            // Remembered without one, it keeps what it has.
            #expect(try await service.keep("Walks the dog", as: "c", by: ada).modelId == MemoryModel.id)
            #expect(try await service.search(near: 10, by: bob).isEmpty)
        }
    }

    @Test func `by another model, or that cannot be compared, is refused by the field`() async throws {
        try await withMemories { service, ada, _ in
            let short: [Float] = [1]
            var notFinite = [Float](repeating: 1, count: 384)
            notFinite[7] = .nan
            let wrong: [(embedding: [Float], model: String, field: String)] = [
                (short, MemoryModel.id, "embedding"), (.init(repeating: 0, count: 384), MemoryModel.id, "embedding"),
                (notFinite, MemoryModel.id, "embedding"), ([], MemoryModel.id, "embedding"), (.along(1), "", "model_id"),
                (.along(1), "MedCPT", "model_id"),
            ]
            for (embedding, model, field) in wrong {
                await expect(.invalidArgument, fields: [field]) {
                    try await service.remember(
                        .init(clientId: "x", category: .other, content: "x", embedding: embedding, modelId: model), context: ada.context)
                }
                await expect(.invalidArgument, fields: [field]) {
                    try await service.searchMemories(.init(query: "x", embedding: embedding, modelId: model), context: ada.context)
                }
            }
            // Words are needed where there is no embedding.
            await expect(.invalidArgument, fields: ["query"]) { try await service.search(by: ada) }
            let kept = try await service.listMemories(.init(includeHistory: true), context: ada.context)
            #expect(kept.memories.isEmpty)
        }
    }

    @Test func `that is forgotten has a job that forgets it in Vectors, in the same transaction, and so has one that is not here`() async throws {
        try await withMemories { service, ada, bob in
            let memory = try await service.keep("Walks the dog", along: 10, by: ada)
            let elsewhere = UUID()

            let answer = try await service.forgetMemories(
                .init(memoryIds: [memory.id, elsewhere.uuidString]), context: ada.context)

            #expect(answer.forgottenCount == 1)
            let jobs = try await service.memories.postgres.rows(
                "SELECT payload::text FROM chat.outbox WHERE topic = 'forget_memories' AND lower(payload ->> 'user') = \(ada.id.uuidString.lowercased())",
                as: Scalar<String>.self
            ).map { try JSONDecoder().decode(MemoryForgetting.Subject.self, from: Data($0.value.utf8)) }
            #expect(jobs == [.init(user: ada.id, ids: [try #require(UUID(uuidString: memory.id)), elsewhere])])
            #expect(try await service.search(near: 10, by: ada).isEmpty)
            #expect(try await service.search(near: 10, by: bob).isEmpty)
        }
    }
}

extension MemoryRepository {
    /// Has all that a person has been remembered of happened so many seconds earlier: then that time has passed since.
    func letPass(_ seconds: Int, of caller: Caller) async throws {
        let span: Query = "\(seconds) * interval '1 second'"
        _ = try await postgres.execute(
            """
            UPDATE chat.patient_memories SET created_at = created_at - \(span), expires_at = expires_at - \(span),
                superseded_at = superseded_at - \(span) WHERE user_id = \(caller.id)
            """, identity: .user(caller.id))
    }
}
