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
    /// - Parameters:
    ///   - passing: Slots of documents, which are the low half of a key.
    ///   - numbers: The keys of these slots; asked for if they are few.
    func nearest(
        to query: [Float], k: Int, effort: Int?, among passing: Bitmap?, numbers: (Bitmap) -> [Int],
        shouldStop: @escaping () -> Bool
    ) throws(HNSWError) -> (found: SearchResult<Int>, isExact: Bool) {
        let breadth = max(k, effort ?? configuration.efSearch)
        let found =
            if let passing, SearchPlan(passing: passing.count, of: count, effort: breadth) == .scan {
                // As wide as the documents are many, so that each is compared.
                try search(
                    query, k: k, efSearch: max(breadth, passing.count), among: numbers(passing), shouldStop: shouldStop)
            } else if passing == nil, breadth >= count {
                // A walk would meet each of them as well, and choose by their codes which vectors it compares: that is more work, and proves nothing.
                try searchExactly(query, k: k, shouldStop: shouldStop)
            } else {
                try search(
                    query, k: k, efSearch: breadth,
                    where: passing.map { passing in { passing.contains(DocumentCatalog.slot(of: $0)) } },
                    shouldStop: shouldStop)
            }
        return (found, found.isExact)
    }
}
