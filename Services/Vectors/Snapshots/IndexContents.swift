internal import HNSW

/// All that an index holds of its collection.
struct IndexContents: Sendable {
    let graph: HNSWIndex<Int>
    let catalog: DocumentCatalog
    /// Rows that could not be read or were refused by the graph.
    let unreadable: [DocumentID: RowVersion]

    /// Rows that are in the table and not deleted, as far as this has followed it.
    var rowCount: Int { graph.count + unreadable.count }

    func version(of id: DocumentID) -> RowVersion? { catalog.version(of: id) ?? unreadable[id] }
}

extension IndexContents {
    /// An index without documents.
    init(_ configuration: HNSWConfiguration) throws(HNSWError) {
        self.init(graph: try HNSWIndex(configuration), catalog: DocumentCatalog(), unreadable: [:])
    }
}
