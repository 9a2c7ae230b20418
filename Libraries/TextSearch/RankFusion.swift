/// Makes one ranking of several by reciprocal rank fusion: what stands at rank r of a ranking gets its weight divided by
/// 60 + r (Cormack, Clarke and Büttcher, Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
/// Methods, SIGIR 2009, with their constant). Ranks are compared and never scores, which have no common measure.
package enum RankFusion {
    package static let constant: Float = 60

    package struct Ranking<Key: Hashable & Sendable>: Sendable {
        /// Best first, each once.
        let keys: [Key]
        let weight: Float

        package init(_ keys: [Key], weight: Float) {
            self.keys = keys
            self.weight = weight
        }
    }

    package struct Fused<Key: Hashable & Sendable>: Hashable, Sendable where Key: Hashable {
        package let key: Key
        package let score: Float
    }

    /// Best first. Of two that are equally good the one comes first that is met first in the rankings, in their order.
    package static func fuse<Key>(_ rankings: [Ranking<Key>]) -> [Fused<Key>] {
        var places: [Key: Int] = [:]
        var fused: [(key: Key, score: Float)] = []
        for ranking in rankings {
            for (rank, key) in ranking.keys.enumerated() {
                let share = ranking.weight / (constant + Float(rank + 1))
                if let place = places[key] {
                    fused[place].score += share
                } else {
                    places[key] = fused.count
                    fused.append((key, share))
                }
            }
        }
        return fused.enumerated()
            .sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
            .map { Fused(key: $0.element.key, score: $0.element.score) }
    }
}
