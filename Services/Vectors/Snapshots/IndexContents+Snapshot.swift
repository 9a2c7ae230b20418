internal import Dispatch
internal import HNSW
internal import Snapshots
internal import Synchronization

extension IndexContents {
    /// Writes everything, as it is at this moment: whoever changes the index waits meanwhile, whoever searches it does not.
    func write(to writer: SnapshotWriter) throws(SnapshotError) {
        try graph.forEachPart { part, bytes throws(SnapshotError) in try writer.append(bytes, to: part.rawValue) }
        try catalog.write(to: writer)
        var bytes = ByteWriter()
        bytes.append(UInt64(unreadable.count))
        for (id, version) in unreadable {
            bytes.append(id.text)
            bytes.append(version)
        }
        try bytes.take { bytes throws(SnapshotError) in try writer.append(bytes, to: CatalogSection.unreadable.rawValue) }
    }

    /// Reads the graph on one thread and the documents on another.
    ///
    /// - Throws: `SnapshotError`, or `HNSWError` for parts that are whole and cannot be one graph's.
    init(from reader: SnapshotReader, _ configuration: HNSWConfiguration) throws {
        let graph = Mutex<Result<HNSWIndex<Int>, any Error>?>(nil)
        let catalog = Mutex<Result<DocumentCatalog, any Error>?>(nil)
        DispatchQueue.concurrentPerform(iterations: 2) { part in
            if part == 0 {
                let read = Result { try DocumentCatalog(from: reader) }
                catalog.withLock { $0 = read }
            } else {
                let read = Result {
                    try HNSWIndex<Int>(configuration) {
                        reader.byteCount(of: $0.rawValue)
                    } fill: { part, place in
                        try reader.read(part.rawValue, into: &place, threads: 2)
                    }
                }
                graph.withLock { $0 = read }
            }
        }
        guard let graph = try graph.withLock({ try $0?.get() }), let catalog = try catalog.withLock({ try $0?.get() }) else {
            preconditionFailure("both parts were read")
        }
        var bytes = ByteReader(try reader.read(CatalogSection.unreadable.rawValue))
        var unreadable: [DocumentID: RowVersion] = [:]
        for _ in 0..<(try bytes.number(UInt64.self)) {
            let id = DocumentID(kept: try bytes.text())
            guard unreadable.updateValue(try bytes.rowVersion(), forKey: id) == nil, catalog.number(of: id) == nil else {
                throw SnapshotError(.damaged, "The snapshot has a document twice.")
            }
        }
        guard bytes.isAtEnd, catalog.count == graph.count, catalog.numbers.allSatisfy(graph.contains) else {
            throw SnapshotError(.damaged, "The snapshot's graph and documents do not go together.")
        }
        self.init(graph: graph, catalog: catalog, unreadable: unreadable)
    }
}
