internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import Testing

@testable internal import Vectors

@Suite struct `A search by words` {
    private static let documents: [VectorsV1.Document] = [
        .at([0, 0, 0], "I21.4", content: "Non-ST elevation (NSTEMI) myocardial infarction"),
        .at([1, 0, 0], "I21.3", ["source": "icd"], content: "ST elevation (STEMI) myocardial infarction of unspecified site"),
        .at([2, 0, 0], "I48.91", ["source": "icd"], content: "Unspecified atrial fibrillation"),
        .at([3, 0, 0], "CHEBI:101278", content: "diltiazem: a calcium-channel blocker"),
        .at([4, 0, 0], "empty", content: ""),
        .at([5, 0, 0], "dashes", content: "— … ?!"),
    ]

    private static let found: [(text: String, ids: [String])] = [
        ("diltiazem", ["CHEBI:101278"]),
        ("Calcium channel BLOCKER", ["CHEBI:101278"]),
        ("I48.91", ["I48.91"]),
        ("i48", ["I48.91"]),
        ("chebi:101278", ["CHEBI:101278"]),
        ("NSTEMI", ["I21.4"]),
        ("infarction unspecified", ["I21.3", "I48.91", "I21.4"]),
        ("warfarin", []),
        ("?!", []),
    ]

    @Test func `finds contents, codes and parts of both`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert(Self.documents, in: "notes")

            for (text, ids) in Self.found {
                let found = try await vectors.find(in: "notes", text: text)

                #expect(found.matches.map(\.id) == ids, "\(text)")
                #expect(found.exact)
                #expect(found.matches.map(\.score) == found.matches.map(\.score).sorted(by: >))
                #expect(found.matches.allSatisfy { $0.score > 0 })
            }
        }
    }

    @Test func `and by an embedding returns as many as are wanted, what both rank high first`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert(Self.documents, in: "notes")

            let found = try await vectors.find(near: [5, 0, 0], in: "notes", limit: 4, text: "atrial fibrillation")
            let heavy = try await vectors.find(
                near: [5, 0, 0], in: "notes", limit: 4, text: "atrial fibrillation", weights: .init(embedding: 1, text: 100))
            let blind = try await vectors.find(
                near: [5, 0, 0], in: "notes", limit: 4, text: "atrial fibrillation", weights: .init(embedding: 1, text: 0))

            #expect(found.matches.map(\.id) == ["I48.91", "dashes", "empty", "CHEBI:101278"])
            let shares: [Float] = [61, 62, 63, 64].map { 1 / $0 }
            #expect(found.matches.map(\.score) == [shares[3] + shares[0], shares[0], shares[1], shares[2]])
            #expect(heavy.matches.map(\.id).first == "I48.91")
            #expect(blind.matches.map(\.id) == ["dashes", "empty", "CHEBI:101278", "I48.91"])
        }
    }

    @Test func `lets a filter hold for the words and for the embedding`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            try await vectors.upsert(Self.documents, in: "notes")
            let icd = VectorsV1.Filter.equals("source", .text("icd"))

            let words = try await vectors.find(in: "notes", where: icd, text: "infarction")
            let both = try await vectors.find(near: [0, 0, 0], in: "notes", where: icd, text: "NSTEMI infarction")

            #expect(words.matches.map(\.id) == ["I21.3"])
            #expect(both.matches.map(\.id) == ["I21.3", "I48.91"])
        }
    }

    @Test func `follows the table, on every replica`() async throws {
        try await withVectorsDatabase { database in
            try await database.withReplica { writer in
                try await database.withReplica(pollInterval: .seconds(600)) { reader in
                    try await writer.create("notes")
                    try await writer.upsert(Self.documents, in: "notes")

                    try await writer.upsert([.at([0, 0, 0], "I21.4", content: "diltiazem")], in: "notes")
                    let position = try await writer.delete(["CHEBI:101278"], from: "notes").position

                    let found = try await reader.find(in: "notes", text: "diltiazem", minPosition: position)
                    #expect(found.matches.map(\.id) == ["I21.4"])
                    #expect(try await reader.find(in: "notes", text: "NSTEMI").matches == [])
                    #expect(try await reader.find(in: "notes", text: "I21.4").matches.map(\.id).first == "I21.4")
                }
            }
        }
    }

    @Test func `that breaks rules is refused by field`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            let long = String(repeating: "x", count: 4 << 10 + 1)

            await expect(.invalidArgument, fields: ["query_text"]) { try await vectors.find(in: "notes", text: long) }
            await expect(.invalidArgument, fields: ["embedding"]) { try await vectors.find(in: "notes") }
            await expect(.invalidArgument, fields: ["embedding"]) { try await vectors.find(near: [1], in: "notes", text: "a") }
            for weights in [(-1, 1), (0, 0), (.nan, 1), (1, .infinity)] as [(Float, Float)] {
                await expect(.invalidArgument, fields: ["weights"]) {
                    try await vectors.find(
                        near: [1, 0, 0], in: "notes", text: "a", weights: .init(embedding: weights.0, text: weights.1))
                }
            }
        }
    }
}
