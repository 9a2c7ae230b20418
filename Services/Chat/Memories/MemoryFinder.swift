internal import Application
internal import FoundationEssentials
internal import HNSW
internal import Postgres
internal import TextSearch

/// Finds a person's memories by words, or by words and by meaning: the two rankings become one.
struct MemoryFinder: Sendable {
    let memories: MemoryRepository

    /// The best first. With an embedding, each of the memories that may be found is compared with it.
    func find(_ search: MemorySearch, of user: UUID) async throws -> MemoryFindings {
        if let embedding = search.embedding { return try await find(search, near: embedding, of: user) }
        var findings = try await memories.search(search, of: user)
        for place in findings.memories.indices { findings.memories[place].rankByWords = place + 1 }
        return findings
    }

    private func find(_ search: MemorySearch, near embedding: MemoryEmbedding, of user: UUID) async throws -> MemoryFindings {
        // Of one snapshot: a memory and the one that takes its place are never both ranked, nor neither.
        let mode = TransactionMode(isolation: .repeatableRead, isReadOnly: true)
        return try await memories.postgres.transaction(identity: .user(user), mode: mode) { transaction in
            var deep = search
            deep.limit = max(search.limit, RankFusion.depth)
            let (moment, holding, embedded) = try await transaction.batch(
                .moment(of: search), .search(deep, of: user), .embedded(search, of: user))
            let words = RankFusion.counted(try holding.rows().map { (key: $0.memory.id, relevance: Float($0.relevance)) })
            let near = try await Self.nearest(deep.limit, of: embedded.rows(), to: embedding)
            // The words first: of two memories with one rank each, the one that holds them precedes.
            let best = RankFusion.fuse([.init(words, weight: 1), .init(near.map { $0.id }, weight: 1)]).prefix(search.limit)

            let found = try await transaction.rows(.found(best.map(\.key), by: search, of: user))
            let byID = Dictionary(uniqueKeysWithValues: found.map { ($0.memory.id, $0) })
            let ranked = best.compactMap { fused -> FoundMemory? in
                guard var memory = byID[fused.key] else { return nil }
                memory.score = Double(fused.score)
                memory.rankByWords = words.firstIndex(of: fused.key).map { $0 + 1 }
                let place = near.firstIndex { $0.id == fused.key }
                memory.rankByMeaning = place.map { $0 + 1 }
                memory.similarity = place.map { Double(near[$0].similarity) }
                return memory
            }
            return try MemoryFindings(memories: ranked, moment: moment)
        }
    }

    /// The nearest first; of two equally near the one that comes first.
    private static func nearest(
        _ limit: Int, of memories: [EmbeddedMemory], to embedding: MemoryEmbedding
    ) async throws -> [(id: UUID, similarity: Float)] {
        let cosine = ExactCosine(embedding.components)
        var hits: [(place: Int, similarity: Float)] = []
        hits.reserveCapacity(memories.count)
        for (place, memory) in memories.enumerated() {
            // A tenth of a millisecond; then others have their turn, and whoever waits for this may have gone.
            if place % 256 == 255 {
                try Task.checkCancellation()
                await Task.yield()
            }
            hits.append((place, cosine.similarity(to: memory.embedding)))
        }
        hits.sort { ($1.similarity, $0.place) < ($0.similarity, $1.place) }
        return hits.prefix(limit).map { (memories[$0.place].id, $0.similarity) }
    }
}
