internal import Contracts
internal import FoundationEssentials
internal import HNSW
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Vectors

@Suite struct `A search` {
    @Test func `returns what is nearest first, with its content and metadata`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert(
                [.at([0, 0, 0], "a"), .at([3, 0, 0], "b", ["source": "go"]), .at([9, 0, 0], "c")], in: "notes")

            let found = try await vectors.find(near: [2, 0, 0], in: "notes", limit: 2)

            #expect(
                found.matches == [
                    .init(id: "b", score: -1, content: "content of b", metadata: ["source": "go"], documentPosition: 1),
                    .init(id: "a", score: -4, content: "content of a", documentPosition: 1),
                ])
            #expect(found.position == 1)
            try await vectors.upsert([.at([0, 0, 0], "a")], in: "notes")
            let anew = try await vectors.find(near: [2, 0, 0], in: "notes", limit: 2, minPosition: 2)
            #expect(anew.matches.map(\.documentPosition) == [1, 2])
        }
    }

    @Test func `reads no document again that is in memory as the table has it`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([.at([0, 0, 0], "a"), .at([3, 0, 0], "b", ["source": "go"]), .at([9, 0, 0], "c")], in: "notes")
                _ = try await vectors.untilBuilt("notes")
                let first = try await vectors.find(near: [2, 0, 0], in: "notes", limit: 2)

                let again = try await vectors.find(near: [2, 0, 0], in: "notes", limit: 2)

                #expect(again.matches == first.matches)
                #expect((vectors.texts.counts.fromMemory, vectors.texts.counts.fromTable) == (1, 1))
                // By itself the other replica would look an hour later.
                try await database.withReplica(pollInterval: .seconds(3_600)) { other in
                    _ = try await other.untilBuilt("notes")
                    _ = try await other.find(near: [2, 0, 0], in: "notes", limit: 2)
                    try await vectors.upsert([.at([3, 0, 0], "b", ["source": "went"])], in: "notes")
                    let changed = try await other.find(near: [2, 0, 0], in: "notes", limit: 2)

                    #expect(changed.matches.map(\.metadata) == [["source": "went"], [:]])
                    #expect((other.texts.counts.fromMemory, other.texts.counts.fromTable) == (0, 2))
                }
            }
        }
    }

    @Test func `tells ids and scores alone if no more is asked for`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert([.at([0, 0, 0], "a", ["source": "go"]), .at([3, 0, 0], "b"), .at([9, 0, 0], "gone")], in: "notes")
            try await vectors.delete(["gone"], from: "notes")

            let found = try await vectors.find(near: [2, 0, 0], in: "notes", view: .id)

            #expect(found.matches == [.init(id: "b", score: -1), .init(id: "a", score: -4)])
            #expect(found.position == 2)
        }
    }

    @Test(arguments: [
        (.cosine, ["parallel": 1, "near": 0.96, "opposite": -1]),
        (.innerProduct, ["parallel": 2, "near": 4.8, "opposite": -1]),
        (.euclidean, ["parallel": -1, "near": -16.4, "opposite": -4]),
    ] as [(VectorsV1.Metric, [String: Float])])
    func `scores as its metric says`(_ metric: VectorsV1.Metric, _ scores: [String: Float]) async throws {
        try await withVectors { vectors in
            try await vectors.create("notes", dimension: 2, metric: metric)
            try await vectors.upsert(
                [.at([2, 0], "parallel"), .at([4.8, 1.4], "near"), .at([-1, 0], "opposite")], in: "notes")

            let found = try await vectors.find(near: [1, 0], in: "notes").matches

            #expect(found.map(\.id) == scores.sorted { $0.value > $1.value }.map(\.key))
            for match in found { #expect(abs(match.score - scores[match.id, default: 0]) < 0.001) }
        }
    }

    @Test func `finds a document where it is now, and not one that is gone`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert([.at([0, 0, 0], "moves"), .at([1, 0, 0], "goes")], in: "notes")

            try await vectors.upsert([.at([9, 9, 9], "moves")], in: "notes")
            let deleted = try await vectors.delete(["goes", "never was"], from: "notes")
            let again = try await vectors.delete(["goes"], from: "notes")
            let found = try await vectors.find(near: [0, 0, 0], in: "notes")

            #expect(found.matches.map(\.id) == ["moves"])
            #expect(found.matches.map(\.score) == [-243])
            #expect((deleted.deletedCount, deleted.position) == (1, 3))
            #expect((again.deletedCount, again.position) == (0, 3))
        }
    }

    @Test func `with a filter returns only documents that have all of its entries`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert(
                (0..<40).map { .at([Float($0), 0, 0], "\($0)", ["half": "\($0 % 2)", "fifth": "\($0 % 5)"]) }, in: "notes")

            let odd = try await vectors.find(near: [0, 0, 0], in: "notes", limit: 3, filter: ["half": "1"])
            let both = try await vectors.find(near: [0, 0, 0], in: "notes", filter: ["half": "1", "fifth": "2"])
            let none = try await vectors.find(near: [0, 0, 0], in: "notes", filter: ["third": "1"])

            #expect(odd.matches.map(\.id) == ["1", "3", "5"])
            #expect(both.matches.map(\.id) == ["7", "17", "27", "37"])
            #expect(none.matches == [])
        }
    }

    @Test func `follows a document's metadata when it changes`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert([.at([0, 0, 0], "a", ["source": "go"])], in: "notes")

            try await vectors.upsert([.at([0, 0, 0], "a", ["source": "chebi"])], in: "notes")

            #expect(try await vectors.find(near: [0, 0, 0], in: "notes", filter: ["source": "go"]).matches == [])
            #expect(try await vectors.find(near: [0, 0, 0], in: "notes", filter: ["source": "chebi"]).matches.count == 1)
        }
    }

    @Test func `says whether it compared everything`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert((0..<300).map { .at([Float($0 % 17), Float($0 / 17), 0], "\($0)") }, in: "notes")

            let narrow = try await vectors.find(near: [8, 8, 0], in: "notes", effort: 10)
            let wide = try await vectors.find(near: [8, 8, 0], in: "notes", effort: 300)

            #expect(!narrow.exact)
            #expect(wide.exact)
        }
    }

    @Test func `of an empty collection finds nothing`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")

            let found = try await vectors.find(near: [0, 0, 0], in: "notes")

            #expect(found.matches == [])
            #expect(found.position == 0)
            #expect(found.exact)
        }
    }

    @Test func `that breaks rules is refused by field, and of another model altogether`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")

            await expect(.invalidArgument, fields: ["embedding", "limit", "ef_search", "min_position", "view"]) {
                try await vectors.find(
                    near: [1, 2], in: "notes", limit: 1_001, effort: 10_001, minPosition: -1, view: .unrecognized(9))
            }
            await expect(.invalidArgument, fields: ["model_id"]) {
                try await vectors.find(near: [1, 2, 3], in: "notes", model: "another")
            }
        }
    }

    @Test func `returns the best that fit into an answer, and names all that were asked for`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            let longest = String(repeating: "x", count: DocumentContent.maxBytes)
            // Three MiB have place for 95 of them.
            try await vectors.upsert((0..<140).map { .at([Float($0), 0, 0], "\($0)", content: longest) }, in: "notes")

            let found = try await vectors.find(near: [0, 0, 0], in: "notes", limit: 1_000)
            let named = try await vectors.find(near: [0, 0, 0], in: "notes", limit: 1_000, view: .id)

            #expect(found.matches.map(\.id) == (0..<95).map { "\($0)" })
            #expect(try found.serializedByteCount() < 4 << 20)
            #expect(named.matches.map(\.id) == (0..<140).map { "\($0)" })
        }
    }

    @Test func `for a position that does not come before the deadline is answered with why not`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert([.at([0, 0, 0], "a")], in: "notes")

            await Deadline.with(.after(.milliseconds(200))) {
                await expect(.unavailable) { try await vectors.find(near: [0, 0, 0], in: "notes", minPosition: 2) }
            }
        }
    }

    @Test func `tells the position of the newest row that it may have met, also of one that is just being put in`() throws {
        let space = EmbeddingSpace(model: ModelID(kept: "test-model"), dimension: 1, metric: .euclidean)
        let collection = Collection(
            id: UUID(), name: try CollectionName("notes"), space: space, documentCount: 0, position: 0, createdAt: .now())
        let index = try CollectionIndex(of: collection, configuration: GraphConfiguration())
        let query = SearchQuery(ranking: .embedding(try Embedding([0], in: space)), limit: 1, filter: nil, effort: nil)
        func note(_ number: Int64) -> DocumentChange {
            DocumentChange(
                id: DocumentID(kept: "a"), version: RowVersion(position: number, changedAt: .now()),
                state: .live(embedding: [Float(number)], metadata: DocumentMetadata(kept: [:]), content: ""))
        }
        index.apply([note(1)])
        index.publish(1)
        let followed = try index.search(query) { false }
        index.apply([note(2)])

        let ahead = try index.search(query) { false }

        #expect(followed.hits.map(\.score) == [-1])
        #expect((followed.position, followed.newest) == (1, 1))
        #expect(ahead.hits.map(\.score) == [-4])
        #expect((ahead.position, ahead.newest) == (1, 2))
    }

    @Test func `is refused with a time to retry when too many wait, unless it is brief`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert([.at([0, 0, 0], "a")], in: "notes")
            _ = try await vectors.untilBuilt("notes")
            let busy = VectorsService(
                collections: vectors.collections, documents: vectors.documents, indexes: vectors.indexes, texts: vectors.texts,
                rows: vectors.rows, recall: vectors.recall, threads: ComputeThreads(name: "search", threads: 1, maxQueued: 1))

            try await busy.threads.withAllTaken {
                let brief = try? await busy.find(near: [0, 0, 0], in: "notes", effort: 128)
                #expect(brief?.matches.map(\.id) == ["a"])
                await expect(.resourceExhausted) { try await busy.find(near: [0, 0, 0], in: "notes", effort: 129) }
                await expect(.resourceExhausted) { try await busy.find(near: [0, 0, 0], in: "notes", filter: ["half": "1"]) }
                await expect(.resourceExhausted) { try await busy.find(in: "notes", text: "content") }
            }
        }
    }
}
