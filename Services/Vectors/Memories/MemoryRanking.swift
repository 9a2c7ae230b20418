internal import Filters

/// A memory that a search may find.
struct MemoryCandidate: Hashable, Sendable {
    static let byteCount = 4 * EmbeddingSpace.memories.dimension

    let id: MemoryID
    /// The embedding's components, four bytes each, the most significant first.
    let components: [UInt8]
    /// Empty where no filter asks for it.
    let metadata: DocumentMetadata
}

/// Compares one embedding with memories by the cosine of their angle.
///
/// Each is compared, in doubles, which hold the square of every Float: so what comes first is exact, and the same every time.
struct MemoryRanking: Sendable {
    struct Hit: Hashable, Sendable {
        let id: MemoryID
        let score: Float
    }

    private let query: [Double]

    init(_ embedding: Embedding) {
        let components = embedding.components.map(Double.init)
        let length = components.reduce(0) { $0 + $1 * $1 }.squareRoot()
        query = components.map { $0 / length }
    }

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
            hits.append(Hit(id: candidate.id, score: score(candidate.components)))
        }
        hits.sort { $0.score == $1.score ? $0.id.text < $1.id.text : $0.score > $1.score }
        return Array(hits.prefix(limit))
    }

    private func score(_ components: [UInt8]) -> Float {
        var product = 0.0
        var squaredLength = 0.0
        var start = 0
        for part in query {
            let bits =
                UInt32(components[start]) << 24 | UInt32(components[start &+ 1]) << 16 | UInt32(components[start &+ 2]) << 8
                | UInt32(components[start &+ 3])
            let component = Double(Float(bitPattern: bits))
            product += part * component
            squaredLength += component * component
            start &+= 4
        }
        return Float(product / squaredLength.squareRoot())
    }
}
