internal import Contracts
internal import FoundationEssentials
internal import Time

extension VectorsV1.Index {
    init(_ index: CollectionIndex) {
        let snapshot = index.snapshot
        let followed = index.followed
        self.init(
            collection: index.collection.name.text, collectionId: index.collection.id.text,
            state: followed == nil ? .building : .serving, documentCount: Int64(index.count), position: followed?.position ?? 0,
            byteCount: Int64(index.byteCount), unreadableCount: Int64(index.unreadableCount),
            snapshot: snapshot.saved.map { .init($0) }, snapshotProblem: snapshot.problem ?? "",
            digest: followed?.digest.value ?? 0)
    }
}

extension VectorsV1.IndexSnapshot {
    init(_ saved: SnapshotState.Saved) {
        self.init(position: saved.position, byteCount: Int64(saved.byteCount), writtenAt: .init(saved.writtenAt))
    }
}

extension VectorsV1.SearchRecall {
    init(_ kind: RecallSampler.Kind, _ record: RecallRecord) {
        self.init(
            collection: kind.collection.text, selectivity: .init(kind.selectivity), sampleCount: Int64(record.sampleCount),
            recall: record.recall ?? 0, recentCount: Int64(record.recentCount), sampledAt: .init(record.sampledAt))
    }
}

extension VectorsV1.FilterSelectivity {
    init(_ selectivity: Selectivity) {
        self =
            switch selectivity {
            case .noFilter: .none
            case .aboveTenth: .aboveTenth
            case .aboveHundredth: .aboveHundredth
            case .belowHundredth: .belowHundredth
            }
    }
}
