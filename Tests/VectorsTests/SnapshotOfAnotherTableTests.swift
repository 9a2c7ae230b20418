internal import Contracts
internal import Foundation
internal import Snapshots
internal import TestSupport
internal import Testing

@testable internal import Vectors

@Suite struct `A snapshot is not used` {
    @Test func `when its table has gone back behind it`() async throws {
        try await expect(
            .foreign,
            after: """
                DELETE FROM vectors.documents WHERE id = 'last';
                UPDATE vectors.collections SET position = 1, document_count = 2
                """, finding: ["a", "b"])
    }

    @Test func `when its table was set back and is as far again, with another document`() async throws {
        try await expect(
            .foreign,
            after: """
                DELETE FROM vectors.documents WHERE id = 'last';
                INSERT INTO vectors.documents (collection_id, id, content, embedding, position)
                SELECT collection_id, 'other', 'x', embedding, 2 FROM vectors.documents WHERE id = 'b'
                """, finding: ["a", "b", "other"])
    }

    @Test func `when its table was set back and has the same document at the same position, with another vector`() async throws {
        try await expect(
            .foreign, after: "UPDATE vectors.documents SET embedding = (SELECT embedding FROM vectors.documents WHERE id = 'a') WHERE id = 'last'",
            finding: ["a", "b", "last"])
    }

    @Test func `when only it has a document, all else having changed since`() async throws {
        try await expect(
            .foreign,
            after: """
                DELETE FROM vectors.documents WHERE id = 'last';
                UPDATE vectors.documents SET position = 3;
                UPDATE vectors.collections SET position = 3, document_count = 2
                """, finding: ["a", "b"])
    }

    /// The newest row up to the snapshot's position is the same in both, and so is the number of documents.
    @Test func `when its table was set back behind a change of a document`() async throws {
        try await expect(
            .foreign,
            before: { try await $0.upsert([.at([4, 0, 0], "a"), .at([3, 0, 0], "last")], in: "notes") },
            after: """
                UPDATE vectors.documents SET position = 1, embedding = (SELECT embedding FROM vectors.documents WHERE id = 'b') WHERE id = 'a';
                UPDATE vectors.documents SET position = 4 WHERE id = 'last';
                UPDATE vectors.collections SET position = 4
                """, finding: ["a", "b", "last"])
    }

    @Test func `and until the index is built of the table, searches are answered by its rows, which is all of them`() async throws {
        // What is found before the rows are read, and what is found behind them.
        let changes = [
            """
            DELETE FROM vectors.documents WHERE id = 'last'; UPDATE vectors.collections SET position = 1, document_count = 2
            """,
            """
            DELETE FROM vectors.documents WHERE id = 'last'; UPDATE vectors.documents SET position = 3;
            UPDATE vectors.collections SET position = 3, document_count = 2
            """,
        ]
        for change in changes {
            try await withSnapshotFolder { folder in
                try await withVectorsDatabase { database in
                    try await makeSnapshot(in: folder, of: database)
                    try await database.server.psql("BEGIN; \(change); COMMIT", database: database.name)

                    try await withReplicaThatCannotBuild(over: database, snapshots: SnapshotStore(in: folder)) { vectors in
                        for _ in 0..<5 {
                            let found = try await vectors.find(near: [1, 0, 0], in: "notes")
                            #expect(found.matches.map(\.id) == ["a", "b"])
                            #expect(found.degraded && found.exact)
                        }
                        #expect(try await vectors.index("notes").seen == nil)
                    }
                }
            }
        }
    }

    @Test func `when its collection was made anew under its id`() async throws {
        try await expect(
            .other, after: "UPDATE vectors.collections SET created_at = created_at + interval '1 microsecond'",
            finding: ["a", "b", "last"])
    }

    /// Brings a table about that a snapshot does not go with, and expects a start to find that out.
    private func expect(
        _ outcome: SnapshotCounts.Load, before: (VectorsService) async throws -> Void = { _ in }, after change: String, finding ids: Set<String>
    ) async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                try await makeSnapshot(in: folder, of: database, before)
                try await database.server.psql("BEGIN; \(change); COMMIT", database: database.name)

                let store = SnapshotStore(in: folder)
                try await database.withReplica(snapshots: store) { vectors in
                    _ = try await vectors.untilBuilt("notes")
                    #expect(store.statistics.loads[outcome] == 1)
                    let found = try await vectors.find(near: [1, 0, 0], in: "notes")
                    #expect(Set(found.matches.map(\.id)) == ids)
                    try await vectors.expectIndexEqualsTable("notes")
                }
            }
        }
    }

    /// Of positions 1 and 2, and of what else is written.
    private func makeSnapshot(
        in folder: String, of database: VectorsDatabase, _ write: (VectorsService) async throws -> Void = { _ in }
    ) async throws {
        try await database.withReplica(snapshots: SnapshotStore(in: folder)) { vectors in
            try await vectors.create("notes")
            try await vectors.upsert([.at([1, 0, 0], "a"), .at([2, 0, 0], "b")], in: "notes")
            try await vectors.upsert([.at([3, 0, 0], "last")], in: "notes")
            try await write(vectors)
            try await vectors.untilSaved("notes")
        }
    }

    @Test func `but a table that went on from it is followed from there`() async throws {
        try await withSnapshotFolder { folder in
            try await withVectorsDatabase { database in
                try await database.withReplica { steady in
                    try await database.withReplica(snapshots: SnapshotStore(in: folder)) { vectors in
                        try await vectors.create("notes")
                        try await vectors.upsert((0..<40).map { .at([Float($0), 0, 0], "\($0)") }, in: "notes")
                        try await vectors.untilSaved("notes")
                    }
                    // The newest row of the snapshot changes, one goes and one comes.
                    try await steady.upsert([.at([7, 7, 7], "39"), .at([8, 8, 8], "new")], in: "notes")
                    try await steady.delete(["0"], from: "notes")
                }

                let store = SnapshotStore(in: folder)
                try await database.withReplica(snapshots: store) { vectors in
                    let index = try await vectors.untilBuilt("notes")
                    #expect(store.statistics.loads == [.used: 1])
                    #expect(index.snapshot.changes <= 3)
                    try await vectors.expectIndexEqualsTable("notes")
                }
            }
        }
    }
}
