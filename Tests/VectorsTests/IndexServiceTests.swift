internal import Contracts
internal import Telemetry
internal import TestSupport
internal import Testing
internal import Time

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

    @Test func `has the same digest in replicas that came to a position by other ways, and another where a row is lost`() async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                var generator = SeededGenerator(seed: 7)
                var model = Model()
                try await database.withReplica { steady in
                    try await steady.create("notes", dimension: 8)
                    // One had half of it from a snapshot, one read what was left of it at once, and one has seen each change.
                    try await database.withReplica(snapshots: SnapshotStore(in: folder)) { vectors in
                        for _ in 0..<8 { try await vectors.change("notes", &model, using: &generator) }
                        try await vectors.untilSaved("notes")
                    }
                    for _ in 0..<8 { try await steady.change("notes", &model, using: &generator) }
                    let kept = DocumentID(kept: "kept")
                    try await steady.upsert([.at(generator.vector(8), kept.text)], in: "notes")
                    let position = try await steady.upsert([.at(generator.vector(8), "last")], in: "notes").position
                    let digest = try await steady.digest(of: "notes", at: position)

                    let store = SnapshotStore(in: folder)
                    try await database.withReplica(snapshots: store) { restored in
                        let told = try await restored.digest(of: "notes", at: position)
                        #expect(told == digest)
                        #expect(store.statistics.loads == [.used: 1])
                    }
                    try await database.withReplica { late in
                        let told = try await late.digest(of: "notes", at: position)
                        #expect(told == digest)

                        // As many rows as there should be, and not those.
                        let version = RowVersion(position: 1, changedAt: Instant(microsecondsSinceEpoch: 1))
                        let ghost = DocumentChange.State.live(
                            embedding: generator.vector(8), metadata: DocumentMetadata(kept: [:]), content: "x")
                        try await late.index("notes").apply([
                            DocumentChange(id: kept, version: version, state: .deleted),
                            DocumentChange(id: DocumentID(kept: "ghost"), version: version, state: ghost),
                        ])
                        let next = try await steady.upsert([.at(generator.vector(8), "next")], in: "notes").position
                        let right = try await steady.digest(of: "notes", at: next)
                        let wrong = try await late.digest(of: "notes", at: next)
                        #expect(right != digest && wrong != right)
                    }
                }
            }
        }
    }
}

extension VectorsService {
    /// What an operator is told once the index is at a position.
    fileprivate func digest(of name: String, at position: Int64) async throws -> UInt64 {
        try await until { try await state(of: name)?.position == position }
        return try #require(try await state(of: name)).digest
    }
}
