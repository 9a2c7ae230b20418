internal import HNSW

/// One search beside the truth.
struct RecallSample: Hashable, Sendable {
    let selectivity: Selectivity
    /// The share of the nearest, as many as were asked for, that the search found.
    let recall: Float

    /// What is as near as the farthest of the nearest counts, whichever of several it is.
    init(_ selectivity: Selectivity, found: SearchResult<Int>, nearest: SearchResult<Int>) {
        self.selectivity = selectivity
        let farthest = nearest.last?.distance ?? .infinity
        let count = found.count { $0.distance <= farthest }
        recall = nearest.isEmpty ? 1 : min(1, Float(count) / Float(nearest.count))
    }
}
