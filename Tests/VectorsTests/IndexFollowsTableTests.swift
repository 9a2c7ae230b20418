internal import Contracts
internal import HNSW
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vectors

@Suite struct `The index` {
    @Test(arguments: [VectorsV1.Metric.cosine, .euclidean])
    func `equals its table after any changes, and after a restart`(_ metric: VectorsV1.Metric) async throws {
        try await withVectorsDatabase { database in
            var generator = SeededGenerator(seed: 42)
            var model = Model()

            try await database.withReplica { vectors in
                try await vectors.create("notes", dimension: 8, metric: metric)
                for _ in 0..<30 {
                    try await vectors.change("notes", &model, using: &generator)
                }
                try await vectors.expectIndexEqualsTable("notes")
                try await vectors.expect(model, in: "notes", using: &generator)
            }

            try await database.withReplica { vectors in
                try await vectors.expect(model, in: "notes", using: &generator)
                try await vectors.expectIndexEqualsTable("notes")
            }
        }
    }

    @Test func `of a second replica shows a write as soon as a search asks for its position`() async throws {
        try await withVectorsDatabase { database in
            // So rarely does the reader look by itself that only the wish for a position can have shown it the write.
            try await database.withReplica { writer in
                try await database.withReplica(pollInterval: .seconds(600)) { reader in
                    try await writer.create("notes")
                    for round in 1...10 {
                        let position = try await writer.upsert([.at([Float(round), 0, 0], "a")], in: "notes").position

                        let found = try await reader.find(near: [Float(round), 0, 0], in: "notes", minPosition: position)

                        #expect(found.position >= position)
                        #expect(found.matches.map(\.score) == [0])
                    }
                }
            }
        }
    }

    @Test func `of either replica holds what both have written`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { one in
                try await database.withReplica { two in
                    try await one.create("notes")
                    let replicas = [one, two]

                    let last = try await withThrowingTaskGroup(of: Int64.self) { group in
                        for writer in 0..<8 {
                            group.addTask {
                                let replica = replicas[writer % 2]
                                try await replica.upsert(
                                    (0..<5).map { .at([Float(writer), Float($0), 0], "\(($0 + writer) % 12)") }, in: "notes")
                                return try await replica.delete(["\(writer)"], from: "notes").position
                            }
                        }
                        return try await group.reduce(0, max)
                    }

                    for replica in replicas {
                        _ = try await replica.find(near: [0, 0, 0], in: "notes", minPosition: last)
                        try await replica.expectIndexEqualsTable("notes")
                    }
                }
            }
        }
    }

    @Test func `of a second replica gives as many as are wanted, though another has just deleted or changed what was nearest`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                // By itself it would look an hour later.
                try await database.withReplica(pollInterval: .seconds(3_600)) { late in
                    let notes = (0..<5).map { VectorsV1.Document.at([Float($0), 0, 0], "\($0)", ["kept": "yes"]) }
                    let position = try await vectors.upsert(notes, in: "notes").position
                    _ = try await late.find(near: [0, 0, 0], in: "notes", minPosition: position)
                    try await vectors.delete(["0"], from: "notes")
                    let nearest = try await late.find(near: [0, 0, 0], in: "notes", limit: 2)
                    try await vectors.upsert([.at([1, 0, 0], "1", ["kept": "no"])], in: "notes")
                    let kept = try await late.find(near: [0, 0, 0], in: "notes", limit: 2, filter: ["kept": "yes"])

                    #expect(nearest.matches.map(\.id) == ["1", "2"])
                    #expect(kept.matches.map(\.id) == ["2", "3"])
                }
            }
        }
    }

    @Test func `of a collection that another replica has made is there when it is asked for`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { one in
                try await database.withReplica(pollInterval: .seconds(600)) { two in
                    try await one.create("notes")
                    let position = try await one.upsert([.at([1, 2, 3], "a")], in: "notes").position

                    let found = try await two.find(near: [1, 2, 3], in: "notes", minPosition: position)

                    #expect(found.matches.map(\.id) == ["a"])
                }
            }
        }
    }

    @Test func `leaves a row out that holds no vector, and serves the others`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([.at([1, 2, 3], "good"), .at([1, 2, 4], "bad")], in: "notes")
            }
            try await database.server.psql(
                "UPDATE vectors.documents SET embedding = '\\x0000' WHERE id = 'bad'", database: database.name)

            try await database.withReplica { vectors in
                let found = try await vectors.find(near: [1, 2, 4], in: "notes", minPosition: 1)

                #expect(found.matches.map(\.id) == ["good"])
            }
        }
    }

    @Test func `is built anew when its table has gone back, as after a restored backup`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([.at([1, 0, 0], "kept")], in: "notes")
                try await vectors.upsert([.at([2, 0, 0], "lost")], in: "notes")

                try await database.server.psql(
                    """
                    BEGIN; DELETE FROM vectors.documents WHERE id = 'lost';
                    UPDATE vectors.collections SET position = 1, document_count = 1; COMMIT
                    """, database: database.name)
                let name = try CollectionName("notes")
                while try await vectors.indexes.index(of: name).seen != 1 { await Task.yield() }

                try await vectors.expectIndexEqualsTable("notes")
                let position = try await vectors.upsert([.at([3, 0, 0], "new")], in: "notes").position
                #expect(position == 2)
                try await vectors.expectIndexEqualsTable("notes")
            }
        }
    }

    /// What becomes of a table of "a" at position 1 and "lost" at position 2, which is at 2 again, and the documents that it has then.
    private static let setBack: [(String, Set<String>)] = [
        // Another document.
        (
            """
            DELETE FROM vectors.documents WHERE id = 'lost';
            INSERT INTO vectors.documents (collection_id, id, content, embedding, position)
            SELECT collection_id, 'other', 'x', embedding, 2 FROM vectors.documents WHERE id = 'a'
            """, ["a", "other", "new"]
        ),
        // Another writing of the same.
        (
            """
            UPDATE vectors.documents SET updated_at = clock_timestamp(), embedding = (SELECT embedding FROM vectors.documents WHERE id = 'a')
            WHERE id = 'lost'
            """, ["a", "lost", "new"]
        ),
        // None that has not changed since.
        (
            """
            DELETE FROM vectors.documents WHERE id = 'lost'; UPDATE vectors.documents SET updated_at = clock_timestamp(), position = 3;
            UPDATE vectors.collections SET position = 3, document_count = 1
            """, ["a", "new"]
        ),
    ]

    @Test(arguments: setBack)
    func `is built anew when its table was set back, and was as far again before anybody looked`(change: String, ids: Set<String>) async throws {
        try await withVectorsDatabase { database in
            // So rarely does the replica look by itself that only the rows can have shown it.
            try await database.withReplica(pollInterval: .seconds(600)) { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes")
                try await vectors.upsert([.at([2, 0, 0], "lost")], in: "notes")
                let before = try await vectors.untilBuilt("notes")
                let seen = try await vectors.find(near: [1, 0, 0], in: "notes", minPosition: 2)
                #expect(seen.matches.map(\.id) == ["a", "lost"])
                try await database.server.psql("BEGIN; \(change); COMMIT", database: database.name)

                try await vectors.upsert([.at([3, 0, 0], "new")], in: "notes")

                let found = try await vectors.find(near: [1, 0, 0], in: "notes")
                #expect(Set(found.matches.map(\.id)) == ids)
                try await vectors.expectIndexEqualsTable("notes")
                #expect(before.isRetired)
            }
        }
    }

    @Test func `is built anew when its table was set back behind a deletion, and nothing but the number of documents shows it`() async throws {
        try await withVectorsDatabase { database in
            // So rarely does the replica look by itself that only the rows can have shown it.
            try await database.withReplica(pollInterval: .seconds(600)) { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes")
                try await vectors.upsert([.at([2, 0, 0], "b")], in: "notes")
                try await vectors.delete(["a"], from: "notes")
                let before = try await vectors.untilBuilt("notes")
                #expect(try await vectors.find(near: [1, 0, 0], in: "notes", minPosition: 3).matches.map(\.id) == ["b"])
                // "a" was never deleted; what was written and deleted again since has left a position behind.
                try await database.server.psql(
                    """
                    BEGIN; UPDATE vectors.documents SET deleted_at = NULL, position = 1, content = 'x',
                        embedding = (SELECT embedding FROM vectors.documents WHERE id = 'b') WHERE id = 'a';
                    UPDATE vectors.collections SET document_count = 2; COMMIT
                    """, database: database.name)

                try await vectors.upsert([.at([3, 0, 0], "new")], in: "notes")

                let found = try await vectors.find(near: [1, 0, 0], in: "notes")
                #expect(Set(found.matches.map(\.id)) == ["a", "b", "new"])
                try await vectors.expectIndexEqualsTable("notes")
                #expect(before.isRetired)
            }
        }
    }

    @Test func `of a table that counts wrong is built anew once, and no more`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica(pollInterval: .seconds(600)) { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes")
                let before = try await vectors.untilBuilt("notes")
                _ = try await vectors.find(near: [1, 0, 0], in: "notes", minPosition: 1)
                try await database.server.psql("UPDATE vectors.collections SET document_count = 7 WHERE name = 'notes'", database: database.name)

                try await vectors.upsert([.at([2, 0, 0], "b")], in: "notes")
                let after = try await vectors.untilBuilt("notes")
                for round in 1...3 {
                    let position = try await vectors.upsert([.at([3, 0, 0], "\(round)")], in: "notes").position
                    _ = try await vectors.find(near: [1, 0, 0], in: "notes", minPosition: position)
                }

                #expect(before.isRetired && !after.isRetired)
                try await vectors.expectIndexEqualsTable("notes")
            }
        }
    }

    @Test func `of a table that has gone back does not say what is to be deleted`() async throws {
        try await withVectorsDatabase { database in
            // So rarely does the replica look by itself that it does not know.
            try await database.withReplica(pollInterval: .seconds(600)) { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([.at([1, 0, 0], "a", ["k": "v"])], in: "notes")
                try await vectors.upsert([.at([2, 0, 0], "b", ["k": "v"])], in: "notes")
                try await database.server.psql(
                    """
                    BEGIN; DELETE FROM vectors.documents WHERE id = 'b'; UPDATE vectors.documents SET metadata = '{}';
                    UPDATE vectors.collections SET position = 1, document_count = 1; COMMIT
                    """, database: database.name)

                await expect(.unavailable) { try await vectors.delete(where: .exists("k"), from: "notes") }

                #expect(try await vectors.collection("notes")?.documentCount == 1)
            }
        }
    }

    @Test func `does not keep what an attempt to build it had read before its table was set back`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes")
            let (index, follower) = try await vectors.unbuilt("notes")
            let lost = DocumentChange(
                id: "lost", version: RowVersion(position: 9, changedAt: Instant(microsecondsSinceEpoch: 1)),
                state: .live(embedding: [1, 2, 3], metadata: DocumentMetadata(kept: [:]), content: "x"))
            index.apply([lost])

            try await follower.catchUp()

            #expect(index.ids == ["a"])
            #expect(index.count == 1)
            #expect(index.seen == 1)
        }
    }

    @Test func `of a collection that has gone, though another has its name, is never there`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes")
                let (index, follower) = try await vectors.unbuilt("notes")
                try await database.server.psql("DELETE FROM vectors.collections WHERE name = 'notes'", database: database.name)

                await #expect(throws: VectorsError.collectionNotFound) { try await follower.catchUp() }
                try await until { !vectors.indexes.all.contains { $0.collection.name.text == "notes" } }
                try await vectors.create("notes")
                await #expect(throws: VectorsError.collectionNotFound) { try await follower.catchUp() }
                #expect(index.seen == nil)
            }
        }
    }

    @Test func `is of the newest of several collections that have one name in turn, whatever a list says that was asked for before`() async throws {
        try await withVectorsDatabase { database in
            try await database.slowDownLists()
            try await database.withReplica { vectors in
                for round in 1...40 {
                    try await vectors.create("notes")
                    let kept = try #require(try await vectors.collections.find(CollectionName("notes")))
                    let position = try await vectors.upsert([.at([Float(round), 0, 0], "\(round)")], in: "notes").position
                    let found = try await vectors.find(near: [0, 0, 0], in: "notes", minPosition: position)

                    #expect(found.matches.map(\.id) == ["\(round)"])
                    #expect(try await vectors.index("notes").collection.id == kept.id)
                    try await vectors.deleteCollection("notes")
                }
            }
        }
    }

    @Test func `stays the same when changes come while the list of collections is read`() async throws {
        try await withVectorsDatabase { database in
            try await database.slowDownLists()
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                let index = try await vectors.untilBuilt("notes")
                for round in 1...100 {
                    try await vectors.upsert([.at([Float(round), 0, 0], "a")], in: "notes")
                    if round.isMultiple(of: 10) { try await vectors.delete(["a"], from: "notes") }
                }

                #expect(try await vectors.index("notes") === index)
                #expect(!index.isRetired)
            }
        }
    }

    @Test func `is reported as missing until it is built`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([.at([1, 2, 3], "a")], in: "notes")
            }

            try await database.withReplica { vectors in
                while let problem = vectors.indexes.readinessProblem {
                    #expect(problem.contains("read") || problem.contains("built"))
                    await Task.yield()
                }
                let found = try await vectors.find(near: [1, 2, 3], in: "notes")
                #expect(found.matches.count == 1)
            }
        }
    }
}

extension VectorsService {
    /// An index of a collection that nothing has been read into, and what lets it follow its table when it is told to.
    fileprivate func unbuilt(_ name: String) async throws -> (index: CollectionIndex, follower: IndexFollower) {
        let collection = try #require(try await collections.find(CollectionName(name)))
        let index = try CollectionIndex(of: collection, configuration: GraphConfiguration(m: 8, efConstruction: 60))
        let follower = IndexFollower(
            index: index, collections: collections, documents: documents, snapshots: nil,
            threads: ComputeThreads(name: "index", threads: 1, maxQueued: 4), setBack: { _, _ in }, logger: quiet)
        return (index, follower)
    }
}

extension VectorsDatabase {
    /// From now on a list of collections is of the moment at which it was asked for, and takes its time.
    fileprivate func slowDownLists() async throws {
        try await server.psql(
            """
            ALTER TABLE vectors.collections ENABLE ROW LEVEL SECURITY;
            CREATE POLICY slow_list ON vectors.collections
                USING (current_query() NOT LIKE '%ORDER BY name COLLATE%' OR pg_sleep(0.03)::text = '') WITH CHECK (true)
            """, database: name)
    }
}
