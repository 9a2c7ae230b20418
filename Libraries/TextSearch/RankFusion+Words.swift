/// What a ranking by words has to heed before it is fused with one by meaning.
extension RankFusion {
    /// How many of each ranking are looked at; more if more are wanted.
    package static let depth = 100
    /// What one must have of the relevance of the most relevant to count. Ranks do not tell that the first holds the whole of a code and the second
    /// only a part of it; without this, what both rankings have somewhere would come before it.
    package static let leastShare: Float = 0.5

    /// Those of a ranking by words that count, in their order.
    ///
    /// - Parameter found: each once, the first to count first, with how well it answers the words.
    package static func counted<Key>(_ found: [(key: Key, relevance: Float)]) -> [Key] {
        let least = (found.map(\.relevance).max() ?? 0) * leastShare
        return found.filter { $0.relevance >= least }.map(\.key)
    }
}
