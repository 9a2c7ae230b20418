internal import Filters
internal import HNSW

/// How the graph is asked for what is nearest among the documents that pass a filter.
enum SearchPlan: Hashable, Sendable {
    /// So few pass that each is compared: cheaper than a walk over the graph, and exact.
    case scan
    /// The walk goes over all documents and keeps those that pass.
    case walk

    /// A walk compares some ten documents for each candidate that it keeps, and the fewer pass, the more it meets that do not:
    /// `10 × effort × count / passing`. A scan compares `passing`.
    init(passing: Int, of count: Int, effort: Int) {
        self = passing * passing <= 10 * effort * count ? .scan : .walk
    }
}

extension HNSWIndex<Int> {
    /// The nearest among the documents that pass, or among all, and whether nothing nearer exists.
    ///
    /// - Parameter passing: Slots of documents, which are the low half of a key.
    func nearest(
        to query: [Float], k: Int, effort: Int?, among passing: Bitmap?, shouldStop: @escaping () -> Bool
    ) throws(HNSWError) -> (found: SearchResult<Int>, isExact: Bool) {
        var breadth = max(k, effort ?? configuration.efSearch)
        var filter: ((Int) -> Bool)?
        if let passing {
            filter = { passing.contains(DocumentCatalog.slot(of: $0)) }
            // As wide as the graph, a walk gives up for a scan after its first steps, or is over by then.
            if SearchPlan(passing: passing.count, of: count, effort: breadth) == .scan { breadth = max(breadth, count) }
        }
        let found = try search(query, k: k, efSearch: breadth, where: filter, shouldStop: shouldStop)
        // A walk that is as wide as the graph meets all of it.
        return (found, found.isExact || breadth >= count)
    }
}
