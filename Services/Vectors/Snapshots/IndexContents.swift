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

    /// Whose rows stand behind a position here.
    func ids(behind position: Int64) -> Set<DocumentID> {
        Set(catalog.ids(behind: position)).union(unreadable.filter { $0.value.position > position }.keys)
    }
}

extension IndexContents {
    /// An index without documents.
    init(_ configuration: HNSWConfiguration) throws(HNSWError) {
        self.init(graph: try HNSWIndex(configuration), catalog: DocumentCatalog(), unreadable: [:])
    }
}
