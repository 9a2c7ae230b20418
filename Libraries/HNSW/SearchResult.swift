/// One vector that a search found.
package struct Match<Key: Hashable & Sendable>: Sendable, Hashable {
    package let key: Key
    /// Smaller is nearer; see `Metric`.
    package let distance: Float
    /// Larger is nearer; see `Metric`.
    package let score: Float
}

/// What a search found, nearest first, and what it did to find it.
package struct SearchResult<Key: Hashable & Sendable>: Sendable, RandomAccessCollection {
    package let matches: [Match<Key>]

    /// Whether every vector that passes the filter was compared, so that nothing nearer exists.
    package let isExact: Bool

    /// Nodes whose neighbours were looked at.
    package let hops: Int

    /// Distances computed.
    package let comparisons: Int

    package var startIndex: Int { matches.startIndex }
    package var endIndex: Int { matches.endIndex }
    package subscript(position: Int) -> Match<Key> { matches[position] }
}

extension SearchResult {
    /// Translates what the graph found: a slot for which there is no key is left out.
    init(_ found: borrowing CandidateList, effort: Effort, metric: Metric, key: (Int32) -> Key?) {
        var matches: [Match<Key>] = []
        matches.reserveCapacity(found.count)
        for position in 0..<found.count {
            let candidate = found[position]
            guard let key = key(candidate.slot) else { continue }
            matches.append(
                Match(
                    key: key, distance: metric.distance(comparing: candidate.compared),
                    score: metric.score(comparing: candidate.compared)))
        }
        self.init(matches: matches, isExact: effort.isExact, hops: effort.hops, comparisons: effort.comparisons)
    }
}

/// What a search cost so far.
struct Effort {
    var hops = 0
    var comparisons = 0
    /// Whether everything that passes the filter was compared.
    var isExact = false
}
