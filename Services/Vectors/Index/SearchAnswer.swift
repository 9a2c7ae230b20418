internal import HNSW
internal import TextSearch

extension CollectionIndex {
    /// A document that a search found.
    struct Hit: Sendable {
        /// As the index had it.
        let document: DocumentCatalog.Record
        /// Larger is better: the cosine similarity, the inner product or minus the squared distance; BM25; or what the ranks
        /// come to.
        let score: Float

        var id: DocumentID { document.id }
    }

    /// What a search found.
    struct Answer: Sendable {
        /// Best first.
        var hits: [Hit]
        /// Everything up to this position was looked at.
        let position: Int64
        /// And nothing behind this one, which rows that are just being put in are up to. So whoever has read the answer reads nothing older where this was seen.
        var newest: Int64
        /// Whether nothing nearer to the embedding exists.
        let isExact: Bool
    }
}

extension SearchQuery {
    /// How many of the nearest are looked for, and to which embedding; `nil` for a search by words alone.
    var nearest: (embedding: Embedding, count: Int)? {
        switch ranking {
        case .embedding(let embedding): (embedding, limit)
        case .text: nil
        case .both(let embedding, _, _): (embedding, max(limit, RankFusion.depth))
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
            return CollectionIndex.Answer(hits: hits, position: position, newest: position, isExact: isExact)
        case .text(let text):
            return CollectionIndex.Answer(hits: try holding(text, limit), position: position, newest: position, isExact: true)
        case .both(let embedding, let text, let weights):
            let depth = max(limit, RankFusion.depth)
            let (near, isExact) = try nearest(embedding, depth)
            let held = try holding(text, depth)
            // The words first: of two documents with one rank each, the one that holds them precedes.
            let fused = RankFusion.fuse([
                .init(RankFusion.counted(held.map { (key: $0.id, relevance: $0.score) }), weight: weights.text),
                .init(near.map(\.id), weight: weights.embedding),
            ])
            let documents = Dictionary((near + held).map { ($0.id, $0.document) }, uniquingKeysWith: { first, _ in first })
            let hits = fused.prefix(limit).compactMap { fused in
                documents[fused.key].map { CollectionIndex.Hit(document: $0, score: fused.score) }
            }
            return CollectionIndex.Answer(hits: hits, position: position, newest: position, isExact: isExact)
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
