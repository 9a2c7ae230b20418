internal import Filters
internal import HNSW

/// A memory that a search may find.
struct MemoryCandidate: Hashable, Sendable {
    static let byteCount = 4 * EmbeddingSpace.memories.dimension

    let id: MemoryID
    /// The embedding's components, as `ExactCosine` compares them.
    let components: [UInt8]
    /// Empty where no filter asks for it.
    let metadata: DocumentMetadata
}

/// Compares one embedding with memories, each of them, by the cosine of their angle.
struct MemoryRanking: Sendable {
    struct Hit: Hashable, Sendable {
        let id: MemoryID
        let score: Float
    }

    private let cosine: ExactCosine

    init(_ embedding: Embedding) { cosine = ExactCosine(embedding.components) }

    /// The nearest, nearest first; of two equally near the one with the lesser id.
    ///
    /// - Returns: `nil` if it was stopped.
    func nearest(
        _ limit: Int, of candidates: [MemoryCandidate], passing filter: Filter?, shouldStop: () -> Bool
    ) -> [Hit]? {
        var hits: [Hit] = []
        hits.reserveCapacity(candidates.count)
        for (place, candidate) in candidates.enumerated() {
            if place % 64 == 0, shouldStop() { return nil }
            guard filter?.passes(candidate.metadata.entries) ?? true else { continue }
            hits.append(Hit(id: candidate.id, score: cosine.similarity(to: candidate.components)))
        }
        hits.sort { $0.score == $1.score ? $0.id.text < $1.id.text : $0.score > $1.score }
        return Array(hits.prefix(limit))
    }
}
