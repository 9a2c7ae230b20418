internal import HNSW
internal import TextSearch

extension CollectionIndex {
    /// A document that a search found.
    struct Hit: Hashable, Sendable {
        let id: DocumentID
        /// Larger is better: the cosine similarity, the inner product or minus the squared distance; BM25; or what the ranks
        /// come to.
        let score: Float
    }

    /// What a search found.
    struct Answer: Hashable, Sendable {
        /// Best first.
        let hits: [Hit]
        /// Everything up to this position was looked at.
        let position: Int64
        /// Whether nothing nearer to the embedding exists.
        let isExact: Bool
    }
}

extension SearchQuery {
    /// How many of each ranking are looked at where two become one; more if more are wanted.
    static let fusedDepth = 100
    /// What a document must have of the best one's BM25 to count there. Ranks do not tell that the first holds the whole of a code
    /// and the second only a part of it; without this, what both rankings have somewhere would come before it.
    static let fusedShare: Float = 0.5

    /// How many of the nearest are looked for, and to which embedding; `nil` for a search by words alone.
    var nearest: (embedding: Embedding, count: Int)? {
        switch ranking {
        case .embedding(let embedding): (embedding, limit)
        case .text: nil
        case .both(let embedding, _, _): (embedding, max(limit, Self.fusedDepth))
        }
    }

    /// The answer, by whatever finds what is nearest to an embedding and what holds words, best first.
    func answer(
        at position: Int64,
        nearest: (Embedding, _ limit: Int) throws -> (hits: [CollectionIndex.Hit], isExact: Bool),
        holding: (SearchText, _ limit: Int) throws -> [CollectionIndex.Hit]
    ) throws -> CollectionIndex.Answer {
        switch ranking {
        case .embedding(let embedding):
            let (hits, isExact) = try nearest(embedding, limit)
            return CollectionIndex.Answer(hits: hits, position: position, isExact: isExact)
        case .text(let text):
            return CollectionIndex.Answer(hits: try holding(text, limit), position: position, isExact: true)
        case .both(let embedding, let text, let weights):
            let depth = max(limit, Self.fusedDepth)
            let (near, isExact) = try nearest(embedding, depth)
            let held = try holding(text, depth)
            let least = (held.first?.score ?? 0) * Self.fusedShare
            // The words first: of two documents with one rank each, the one that holds them precedes.
            let fused = RankFusion.fuse([
                .init(held.prefix { $0.score >= least }.map(\.id), weight: weights.text),
                .init(near.map(\.id), weight: weights.embedding),
            ])
            let hits = fused.prefix(limit).map { CollectionIndex.Hit(id: $0.key, score: $0.score) }
            return CollectionIndex.Answer(hits: hits, position: position, isExact: isExact)
        }
    }
}

extension EmbeddingSpace {
    /// The contract's score of what a graph has found.
    func score(of match: Match<Int>) -> Float {
        switch metric {
        case .cosine, .innerProduct: match.score
        // The contract's score is minus the squared distance; the graph's is another function of the same distance.
        case .euclidean: -(match.distance * match.distance)
        }
    }
}
