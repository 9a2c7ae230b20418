/// The shape of an index, fixed when it is made. The names are those of Malkov and Yashunin (arXiv 1603.09320).
package struct HNSWConfiguration: Sendable, Hashable {
    /// Components of every vector.
    package var dimension: Int

    package var metric: Metric

    /// Neighbours that a new node looks for on each layer. A node keeps at most `m` on an upper layer and `2 * m` on
    /// layer 0, as the paper advises; memory grows with it.
    package var m: Int

    /// Candidates that an insertion keeps while it searches: more make a better graph and a slower insertion.
    package var efConstruction: Int

    /// Candidates that a search keeps when the caller names no number of its own.
    package var efSearch: Int

    /// Whether a node whose neighbours were thinned by the heuristic fills its places with the nearest of those
    /// that were thinned out (`keepPrunedConnections` of Algorithm 4).
    package var keepPruned: Bool

    /// What is kept of a vector.
    package var representation: Representation

    /// A folder for a file that holds the vectors, mapped into memory, while codes and graph stay in memory. The file has
    /// no name and is gone with the process. `nil` keeps the vectors in memory too.
    package var vectorFolder: String?

    /// Where the random levels start: the same seed and the same calls in the same order make the same graph.
    package var seed: UInt64

    package init(
        dimension: Int, metric: Metric = .cosine, m: Int = 16, efConstruction: Int = 200, efSearch: Int = 100,
        keepPruned: Bool = true, representation: Representation = .int8, vectorFolder: String? = nil,
        seed: UInt64 = 0x4845_4152_5447_5244
    ) {
        self.dimension = dimension
        self.metric = metric
        self.m = m
        self.efConstruction = efConstruction
        self.efSearch = efSearch
        self.keepPruned = keepPruned
        self.representation = representation
        self.vectorFolder = vectorFolder
        self.seed = seed
    }

    /// All that the parts of an index depend on, for whoever keeps them: an index can be made of another's parts if both say the
    /// same. It changes as well when the form of a part does.
    package var layout: String {
        """
        parts 1, dimension \(dimension), \(metric.rawValue), m \(m), efConstruction \(efConstruction), keepPruned \(keepPruned), \
        \(representation), seed \(seed)
        """
    }

    /// The most neighbours that a node may have on a layer.
    func degreeLimit(onLayer layer: Int) -> Int { layer == 0 ? 2 * m : m }

    /// - Throws: `.invalidConfiguration` for the first number outside its range.
    func validate() throws(HNSWError) {
        try HNSWConfiguration.require("dimension", dimension, in: 1...65_536)
        // With one neighbour a layer could not stay connected; beyond a few hundred the graph is a scan.
        try HNSWConfiguration.require("m", m, in: 2...512)
        try HNSWConfiguration.require("efConstruction", efConstruction, in: 1...65_536)
        try HNSWConfiguration.require("efSearch", efSearch, in: 1...65_536)
    }

    static func require(_ name: String, _ value: Int, in range: ClosedRange<Int>) throws(HNSWError) {
        guard range.contains(value) else { throw .invalidConfiguration(name, value, range) }
    }
}
