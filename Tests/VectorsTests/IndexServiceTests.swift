internal import Contracts
internal import Telemetry
internal import TestSupport
internal import Testing

@testable internal import Vectors

@Suite struct `What is told of indexes` {
    @Test func `is how they are, to operators and as metrics`() async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                let store = SnapshotStore(in: folder)
                try await database.withReplica(snapshots: store) { vectors in
                    try await vectors.create("notes")
                    let position = try await vectors.upsert([.at([1, 0, 0], "a"), .at([2, 0, 0], "b")], in: "notes").position
                    try await vectors.untilSaved("notes")

                    let told = try #require(try await vectors.state(of: "notes"))
                    #expect(told.state == .serving)
                    #expect(told.documentCount == 2)
                    #expect(told.position == position)
                    #expect(told.byteCount > 0)
                    #expect(told.unreadableCount == 0)
                    #expect(told.snapshot?.position == position)
                    #expect((told.snapshot?.byteCount ?? 0) > 4_096)
                    #expect(told.snapshotProblem == "")

                    var text = PrometheusText()
                    IndexMetrics(vectors.indexes, vectors.recall, vectors.texts.counts).write(to: &text)
                    #expect(text.text.contains(#"heartguard_vectors_index_documents{collection="notes"} 2"#))
                    #expect(text.text.contains(#"heartguard_vectors_index_building{collection="notes"} 0"#))
                    #expect(text.text.contains(#"heartguard_vectors_snapshot_writes_total{outcome="failed"} 0"#))
                    #expect(text.text.contains(#"heartguard_vectors_snapshot_bytes{collection="notes"}"#))
                    #expect(text.text.contains(#"heartguard_vectors_snapshot_loads_total{outcome="damaged"} 0"#))
                }
            }
        }
    }
}
