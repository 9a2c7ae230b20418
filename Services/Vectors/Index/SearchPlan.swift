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
    /// The nearest among the documents that pass, or among all.
    ///
    /// - Parameter passing: Slots of documents, which are the low half of a key.
    func search(
        _ query: [Float], k: Int, effort: Int?, among passing: Bitmap?, shouldStop: @escaping () -> Bool
    ) throws(HNSWError) -> SearchResult<Int> {
        guard let passing else { return try search(query, k: k, efSearch: effort, where: nil, shouldStop: shouldStop) }
        let isAdmitted = { (number: Int) in passing.contains(DocumentCatalog.slot(of: number)) }
        switch SearchPlan(passing: passing.count, of: count, effort: max(k, effort ?? configuration.efSearch)) {
        case .scan:
            // Wider than the graph: the walk gives up after its first steps, or meets every document.
            return try search(query, k: k, efSearch: max(k, count), where: isAdmitted, shouldStop: shouldStop)
        case .walk:
            return try search(query, k: k, efSearch: effort, where: isAdmitted, shouldStop: shouldStop)
        }
    }
}
