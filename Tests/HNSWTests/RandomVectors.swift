@testable import HNSW

/// Vectors that a printed seed brings back.
struct RandomVectors {
    var random: SplitMix64
    let dimension: Int

    init(seed: UInt64, dimension: Int) {
        random = SplitMix64(state: seed)
        self.dimension = dimension
    }

    mutating func vector(spread: Float = 1, around center: [Float]? = nil) -> [Float] {
        (0..<dimension).map { position in
            Float.random(in: -spread...spread, using: &random) + (center?[position] ?? 0)
        }
    }

    mutating func vectors(_ count: Int) -> [[Float]] { (0..<count).map { _ in vector() } }
}

/// The share of the true answers that were found.
func recall<Key>(of found: SearchResult<Key>, against truth: SearchResult<Key>) -> Double {
    guard !truth.isEmpty else { return 1 }
    return Double(Set(found.map(\.key)).intersection(truth.map(\.key)).count) / Double(truth.count)
}
