internal import Telemetry
internal import Time

/// How the indexes and their snapshots are, and how much searches find, as metrics.
struct IndexMetrics {
    /// More collections than this are not told apart by metrics; `ListIndexes` has all.
    static let maxCollections = 200

    private let indexes: [CollectionIndex]
    private let snapshots: SnapshotCounts?
    private let recalls: [(kind: RecallSampler.Kind, record: RecallRecord)]

    private let texts: DocumentTexts.Counts

    init(_ indexes: CollectionIndexes, _ recall: RecallSampler, _ texts: DocumentTexts.Counts) {
        self.texts = texts
        self.indexes = Array(indexes.all.prefix(Self.maxCollections))
        snapshots = indexes.snapshots?.statistics
        recalls = recall.records(of: indexes)
    }

    func write(to text: inout PrometheusText) {
        gauge(&text, "heartguard_vectors_index_documents", "Documents in the index of a collection.") { Double($0.count) }
        gauge(&text, "heartguard_vectors_index_bytes", "What vectors and graph take in memory.") { Double($0.byteCount) }
        gauge(&text, "heartguard_vectors_index_building", "1 while the index is being built.") { $0.seen == nil ? 1 : 0 }
        if let snapshots { write(snapshots, to: &text) }
        text.family("heartguard_vectors_text_bytes", .gauge, help: "What is kept in memory of documents' texts.")
        text.sample("heartguard_vectors_text_bytes", [], Double(texts.bytes))
        let answers = "heartguard_vectors_text_answers_total"
        text.family(answers, .counter, help: "Searches that told texts, by where they were.")
        text.sample(answers, [("from", "memory")], UInt64(texts.fromMemory))
        text.sample(answers, [("from", "table")], UInt64(texts.fromTable))

        let ratio = "heartguard_vectors_recall_ratio", samples = "heartguard_vectors_recall_samples_total"
        text.family(ratio, .gauge, help: "The share of the nearest that searches found, of the newest samples, by what their filter lets pass.")
        for (kind, record) in recalls { text.sample(ratio, Self.labels(kind), record.recall ?? 0) }
        text.family(samples, .counter, help: "Searches that were repeated exactly.")
        for (kind, record) in recalls { text.sample(samples, Self.labels(kind), UInt64(record.sampleCount)) }
    }

    private static func labels(_ kind: RecallSampler.Kind) -> [(String, String)] {
        [("collection", kind.collection.text), ("selectivity", kind.selectivity.rawValue)]
    }

    private func gauge(
        _ text: inout PrometheusText, _ name: String, _ help: String, _ value: (CollectionIndex) -> Double?
    ) {
        text.family(name, .gauge, help: help)
        for index in indexes {
            if let value = value(index) { text.sample(name, [("collection", index.collection.name.text)], value) }
        }
    }

    private func write(_ counts: SnapshotCounts, to text: inout PrometheusText) {
        gauge(&text, "heartguard_vectors_snapshot_bytes", "How long the snapshot is.") { index in
            index.snapshot.saved.map { Double($0.byteCount) }
        }
        gauge(&text, "heartguard_vectors_snapshot_age_seconds", "How long ago it was written.") { index in
            index.snapshot.saved.map { (Instant.now() - $0.writtenAt) / .seconds(1) }
        }
        gauge(&text, "heartguard_vectors_snapshot_pending_changes", "Rows that are not in it.") { index in
            Double(index.snapshot.changes)
        }
        let writes = "heartguard_vectors_snapshot_writes_total", loads = "heartguard_vectors_snapshot_loads_total"
        text.family(writes, .counter, help: "Snapshots that were to be written, by what came of it.")
        text.sample(writes, [("outcome", "written")], UInt64(counts.written))
        text.sample(writes, [("outcome", "failed")], UInt64(counts.failed))
        text.family(loads, .counter, help: "Snapshots that were found at the start, by whether they were used.")
        for outcome in SnapshotCounts.Load.allCases {
            text.sample(loads, [("outcome", outcome.rawValue)], UInt64(counts.loads[outcome] ?? 0))
        }
    }
}

extension RecallSampler {
    /// What is known of the collections that are there, by name and selectivity.
    func records(of indexes: CollectionIndexes) -> [(kind: Kind, record: RecallRecord)] {
        let names = Set(indexes.all.map(\.collection.name))
        keepOnly(names)
        let classes = Selectivity.allCases
        return records.sorted { left, right in
            (left.key.collection.text, classes.firstIndex(of: left.key.selectivity) ?? 0)
                < (right.key.collection.text, classes.firstIndex(of: right.key.selectivity) ?? 0)
        }.map { ($0.key, $0.value) }
    }
}
