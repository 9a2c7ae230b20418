internal import Contracts
internal import Filters
internal import FoundationEssentials
internal import HNSW
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Vectors

@Suite struct `A filter` {
    private static let time = GoogleProtobuf.Timestamp(seconds: 1_771_632_000, nanos: 250_000_000)

    /// Five documents on a line, the nearest to 0 first.
    private static let documents: [VectorsV1.Document] = [
        .at([0, 0, 0], "a", ["source": "go"], typed: ["year": .number(2_020), "reviewed": .boolean(true)]),
        .at([1, 0, 0], "b", ["source": "go"], typed: ["year": .number(2_022.5), "seen": .time(time)]),
        .at([2, 0, 0], "c", ["source": "chebi", "year": "2022"]),
        .at([3, 0, 0], "d", typed: ["source": .text("icd"), "year": .number(-1), "reviewed": .boolean(false)]),
        .at([4, 0, 0], "e"),
    ]

    private static let passing: [(filter: VectorsV1.Filter, ids: String)] = [
        (.equals("source", .text("go")), "ab"),
        (.equals("source", .text("icd")), "d"),
        (.equals("year", .number(2_022)), ""),
        (.equals("year", .text("2022")), "c"),
        (.equals("reviewed", .boolean(false)), "d"),
        (.equals("seen", .time(time)), "b"),
        (.among("source", [.text("icd"), .text("chebi"), .text("nowhere")]), "cd"),
        (.range("year", from: .number(0)), "ab"),
        (.range("year", from: .number(-1), to: .number(2_020)), "ad"),
        (.range("year", to: .text("3")), "c"),
        (.range("seen", from: .time(.init(seconds: 1_771_632_000)), to: .time(.init(seconds: 1_771_632_001))), "b"),
        (.exists("year"), "abcd"),
        (.noneOf([.exists("year")]), "e"),
        (.noneOf([.equals("source", .text("go")), .exists("reviewed")]), "ce"),
        (.anyOf([.equals("source", .text("chebi")), .equals("reviewed", .boolean(true))]), "ac"),
        (.allOf([.exists("year"), .noneOf([.range("year", from: .number(2_000))])]), "cd"),
        (.equals("source' OR '1'='1", .text("go")), ""),
    ]

    @Test func `passes what its conditions are true of`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert(Self.documents, in: "notes")

            for (filter, ids) in Self.passing {
                let found = try await vectors.find(near: [0, 0, 0], in: "notes", where: filter)

                #expect(found.matches.map(\.id) == ids.map(String.init), "\(filter)")
                #expect(found.exact)
            }
        }
    }

    @Test func `and the texts beside it must both be fulfilled`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert(Self.documents, in: "notes")

            let found = try await vectors.find(
                near: [0, 0, 0], in: "notes", filter: ["source": "go"], where: .range("year", from: .number(2_021)))

            #expect(found.matches.map(\.id) == ["b"])
        }
    }

    @Test func `finds metadata that comes back with the type that it had, also after a restart`() async throws {
        let typed: [String: VectorsV1.MetadataValue.OneOf_Kind] = [
            "tiny": .number(.leastNonzeroMagnitude), "huge": .number(-1e300), "tenth": .number(0.1), "yes": .boolean(true),
            "first": .time(.init(seconds: -62_135_596_800)), "last": .time(.init(seconds: 253_402_300_799, nanos: 999_999_000)),
        ]
        let document = VectorsV1.Document.at([1, 0, 0], "a", ["quote": "\"'\\ {}"], typed: typed)

        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.create("notes")
                try await vectors.upsert([document], in: "notes")
            }
            try await database.withReplica { vectors in
                for (key, value) in typed {
                    let found = try await vectors.find(
                        near: [1, 0, 0], in: "notes", where: .equals(key, value), minPosition: 1)
                    #expect(found.matches.first?.typedMetadata == document.typedMetadata)
                    #expect(found.matches.first?.metadata == document.metadata)
                }
            }
        }
    }

    @Test func `returns as many as are wanted, or all that pass, however few those are`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            let documents = (0..<1_000).map { (number: Int) -> VectorsV1.Document in
                var rests: [String: VectorsV1.MetadataValue.OneOf_Kind] = [:]
                for share in [1, 7, 100, 500] { rests["\(share)"] = .number(Double(number % share)) }
                return .at([Float(number % 45), Float(number / 45), 0], "\(number)", typed: rests)
            }
            try await vectors.upsert(Array(documents[..<500]), in: "notes")
            try await vectors.upsert(Array(documents[500...]), in: "notes")

            for share in [1, 7, 100, 500] {
                let found = try await vectors.find(
                    near: [20, 20, 0], in: "notes", limit: 50, where: .equals("\(share)", .number(0)))

                #expect(found.matches.count == min(50, (1_000 + share - 1) / share))
                #expect(found.matches.allSatisfy { Int($0.id).map { $0 % share } == 0 })
            }
        }
    }

    private static let refused: [(filter: VectorsV1.Filter, fields: Set<String>)] = [
        (.init(), ["where"]),
        (.equals("", .number(1)), ["where.equals.key"]),
        (.equals("year", .number(.nan)), ["where.equals.value"]),
        (.equals("seen", .time(.init(seconds: 253_402_300_800))), ["where.equals.value"]),
        (.init(condition: .equals(.init(key: "year"))), ["where.equals.value"]),
        (.among("year", []), ["where.among.values"]),
        (.among("year", [.number(1), .text("1")]), ["where.among.values[1]"]),
        (.among("year", .init(repeating: .number(1), count: 1_001)), ["where.among.values"]),
        (.range("year"), ["where.range"]),
        (.range("year", from: .number(1), to: .text("2")), ["where.range"]),
        (.range("year", from: .boolean(false)), ["where.range.at_least"]),
        (.allOf([]), ["where.all_of.filters"]),
        (.allOf([.exists("a"), .noneOf([.exists("b"), .init()])]), ["where.all_of.filters[1].none_of.filters[1]"]),
        (.anyOf([.exists(""), .init()]), ["where.any_of.filters[0].exists.key", "where.any_of.filters[1]"]),
        (.allOf(.init(repeating: .exists("a"), count: 256)), ["where.all_of.filters[255]"]),
        (.nested(17), ["where" + String(repeating: ".none_of.filters[0]", count: 16)]),
    ]

    @Test func `that breaks a rule is refused by the path of what breaks it`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")

            for (filter, fields) in Self.refused {
                await expect(.invalidArgument, fields: fields) {
                    try await vectors.find(near: [0, 0, 0], in: "notes", where: filter)
                }
                await expect(.invalidArgument, fields: fields) { try await vectors.delete(where: filter, from: "notes") }
            }
        }
    }

    @Test func `of 16 levels and 256 conditions is read`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert(Self.documents, in: "notes")

            let deep = try await vectors.find(near: [0, 0, 0], in: "notes", where: .nested(16))
            let wide = try await vectors.find(
                near: [0, 0, 0], in: "notes", where: .anyOf(.init(repeating: .exists("year"), count: 255)))

            #expect(deep.matches.map(\.id) == ["e"])
            #expect(wide.matches.count == 4)
        }
    }

    @Test func `deletes all that pass it, and nothing else`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert(Self.documents, in: "notes")

            let deleted = try await vectors.delete(where: .equals("source", .text("go")), from: "notes")
            let again = try await vectors.delete(where: .equals("source", .text("go")), from: "notes")
            let left = try await vectors.find(near: [0, 0, 0], in: "notes").matches

            #expect((deleted.deletedCount, deleted.position) == (2, 2))
            #expect((again.deletedCount, again.position) == (0, 2))
            #expect(left.map(\.id) == ["c", "d", "e"])
            await expect(.invalidArgument, fields: ["ids"]) {
                try await vectors.delete(where: .exists("year"), ids: ["c"], from: "notes")
            }
        }
    }

    @Test func `deletes what another replica has just written`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { writer in
                try await database.withReplica(pollInterval: .seconds(600)) { other in
                    try await writer.create("notes")
                    for round in 1...5 {
                        try await writer.upsert(
                            (0..<round).map { .at([1, 0, 0], "\($0)", ["round": "\(round)"]) }, in: "notes")

                        let deleted = try await other.delete(where: .equals("round", .text("\(round)")), from: "notes")

                        #expect(deleted.deletedCount == Int32(round))
                    }
                    #expect(try await writer.collection("notes")?.documentCount == 0)
                }
            }
        }
    }

    @Test func `that breaks rules in a document's metadata names the entry`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")

            await expect(
                .invalidArgument,
                fields: [
                    "documents[0].typed_metadata[\"year\"]", "documents[1].typed_metadata[\"source\"]",
                    "documents[2].typed_metadata", "documents[3].metadata", "documents[4].metadata",
                ]
            ) {
                try await vectors.upsert(
                    [
                        .at([1, 0, 0], "infinite", typed: ["year": .number(.infinity)]),
                        .at([1, 0, 0], "twice", ["source": "go"], typed: ["source": .text("go")]),
                        .at([1, 0, 0], "long key", typed: [String(repeating: "k", count: 65): .number(.nan)]),
                        .at(
                            [1, 0, 0], "65 entries", ["one": "more"],
                            typed: Dictionary(uniqueKeysWithValues: (0..<64).map { ("\($0)", .boolean(true)) })),
                        .at([1, 0, 0], "no key", typed: ["": .number(1)]),
                    ], in: "notes")
            }
        }
    }

    @Test func `lets nothing pass that took the place of what did, while the index is searched`() throws {
        let space = EmbeddingSpace(model: ModelID(kept: "test-model"), dimension: 3, metric: .euclidean)
        let collection = Collection(
            id: UUID(), name: try CollectionName("notes"), space: space, documentCount: 0, position: 0, createdAt: .now())
        let index = try CollectionIndex(of: collection, configuration: GraphConfiguration())
        index.publish(1)
        // The words are read between the filter's evaluation and the search, and here that takes long.
        let text = try SearchText("note " + String(repeating: "word ", count: 800))
        let query = SearchQuery(ranking: .text(text), limit: 10, filter: .equals("group", .text("a")), effort: nil)
        let threads = ComputeThreads(name: "index", threads: 1, maxQueued: 1)

        // The second document gets the slot that the first has left, and the other way about.
        let changes = [
            DocumentChange.live("passes", group: "a"), .deleted("passes"), .live("does not", group: "b"), .deleted("does not"),
        ]
        let isTaken = threads.start {
            for _ in 0..<5_000 {
                for change in changes { index.apply([change]) }
            }
        }
        var found: Set<String> = []
        for _ in 0..<5_000 { found.formUnion(try index.search(query) { false }.hits.map(\.id.text)) }

        #expect(isTaken)
        #expect(found.isSubset(of: ["passes"]))
    }
}

extension DocumentChange {
    private static let version = RowVersion(position: 1, changedAt: Instant(microsecondsSinceEpoch: 0))

    fileprivate static func live(_ id: String, group: String) -> DocumentChange {
        let metadata = DocumentMetadata(kept: ["group": .text(group)])
        return DocumentChange(
            id: DocumentID(kept: id), version: version, state: .live(embedding: [1, 0, 0], metadata: metadata, content: "note"))
    }

    fileprivate static func deleted(_ id: String) -> DocumentChange {
        DocumentChange(id: DocumentID(kept: id), version: version, state: .deleted)
    }
}

extension VectorsV1.Filter {
    /// So many levels; true of what has no year.
    fileprivate static func nested(_ levels: Int) -> Self {
        levels == 1 ? .exists("year") : .noneOf([nested(levels - 1)])
    }
}
