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
