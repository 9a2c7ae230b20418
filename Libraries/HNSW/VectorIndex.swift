/// A set of vectors with keys that can be asked for the nearest to a query.
///
/// `HNSWIndex` answers from a graph, `ExactIndex` by comparing every vector; a test of one is a test of the other.
/// Every method may be called from any thread. None suspends: a search computes for up to milliseconds, so call it on
/// threads meant for that.
package protocol VectorIndex<Key>: Sendable {
    associatedtype Key: Hashable & Sendable

    var dimension: Int { get }
    var metric: Metric { get }

    /// Vectors in the index.
    var count: Int { get }

    func contains(_ key: Key) -> Bool

    /// The vector as the index compares it: under cosine its length is one, whatever it was when it entered.
    func vector(for key: Key) -> [Float]?

    /// Adds a vector, or replaces the one that the key has. A search sees the old vector or the new one, never both
    /// and never neither.
    ///
    /// - Throws: `.wrongDimension`, `.notFinite`, `.zeroLength` (cosine), `.tooLong`, `.full`; the index is unchanged.
    func insert(_ vector: [Float], for key: Key) throws(HNSWError)

    /// Takes the vector out, for good: nothing of it stays in the index.
    ///
    /// - Returns: whether the key was there.
    @discardableResult
    func remove(_ key: Key) -> Bool

    /// The `k` vectors nearest to the query, nearest first; fewer only when fewer pass the filter.
    ///
    /// - Parameters:
    ///   - efSearch: candidates kept while searching; more find better neighbours and cost more. An exact index
    ///     ignores it.
    ///   - filter: which keys may be in the answer. It runs while the index is locked for reading, so it must not
    ///     call the index.
    ///   - shouldStop: asked every hundred hops or so; `true` ends the search.
    /// - Throws: `.wrongDimension`, `.notFinite`, `.zeroLength`, `.tooLong` for the query, `.invalidArgument`,
    ///   `.interrupted`.
    func search(
        _ query: [Float], k: Int, efSearch: Int?, where filter: ((Key) -> Bool)?, shouldStop: (() -> Bool)?
    ) throws(HNSWError) -> SearchResult<Key>
}

extension VectorIndex {
    package func search(
        _ query: [Float], k: Int, efSearch: Int? = nil, where filter: ((Key) -> Bool)? = nil
    ) throws(HNSWError) -> SearchResult<Key> {
        try search(query, k: k, efSearch: efSearch, where: filter, shouldStop: nil)
    }
}
