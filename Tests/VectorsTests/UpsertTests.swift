internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import Testing

@testable internal import Vectors

@Suite struct `An upsert` {
    @Test func `tells how many documents were added and how many replaced`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")

            let first = try await vectors.upsert([.at([1, 0, 0], "a"), .at([0, 1, 0], "b")], in: "notes")
            let second = try await vectors.upsert([.at([0, 0, 1], "b"), .at([1, 1, 1], "c")], in: "notes")
            try await vectors.delete(["a"], from: "notes")
            let third = try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes")

            #expect((first.insertedCount, first.replacedCount, first.position) == (2, 0, 1))
            #expect((second.insertedCount, second.replacedCount, second.position) == (1, 1, 2))
            #expect((third.insertedCount, third.replacedCount, third.position) == (1, 0, 4))
            #expect(try await vectors.collection("notes")?.documentCount == 3)
        }
    }

    @Test func `that breaks rules changes nothing and names every field`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes", metric: .cosine)
            let long = String(repeating: "x", count: 32 << 10 + 1)

            await expect(
                .invalidArgument,
                fields: [
                    "documents[1].embedding", "documents[2].embedding", "documents[3].embedding", "documents[4].id",
                    "documents[5].id", "documents[6].content", "documents[7].metadata", "documents[8].metadata",
                ]
            ) {
                try await vectors.upsert(
                    [
                        .at([1, 0, 0], "fine"),
                        .at([1, 0], "two components"),
                        .at([1, .nan, 0], "not a number"),
                        .at([0, 0, 0], "no direction"),
                        .at([1, 0, 0], "fine"),
                        .at([1, 0, 0], ""),
                        VectorsV1.Document(id: "long", content: long, embedding: [1, 0, 0]),
                        .at([1, 0, 0], "65 entries", Dictionary(uniqueKeysWithValues: (0..<65).map { ("\($0)", "") })),
                        .at([1, 0, 0], "9 KiB", ["key": String(repeating: "x", count: 9 << 10)]),
                    ], in: "notes")
            }
            await expect(.invalidArgument, fields: ["documents"]) { try await vectors.upsert([], in: "notes") }
            await expect(.invalidArgument, fields: ["documents"]) {
                try await vectors.upsert((0...500).map { .at([1, 0, 0], "\($0)") }, in: "notes")
            }

            #expect(try await vectors.collection("notes")?.position == 0)
        }
    }

    @Test func `keeps documents apart whose ids are equal to Swift and not to the table`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")
            // "ṩ", once of one code point and once of three.
            let (one, other) = ("\u{1E69}", "s\u{323}\u{307}")

            let upserted = try await vectors.upsert([.at([1, 0, 0], one), .at([0, 1, 0], other)], in: "notes")
            let found = try await vectors.find(near: [1, 0, 0], in: "notes").matches
            try await vectors.delete([one], from: "notes")
            let left = try await vectors.find(near: [1, 0, 0], in: "notes").matches

            #expect(upserted.insertedCount == 2)
            #expect(found.map { Array($0.id.utf8) } == [Array(one.utf8), Array(other.utf8)])
            #expect(left.map { Array($0.id.utf8) } == [Array(other.utf8)])
            try await vectors.expectIndexEqualsTable("notes")
        }
    }

    @Test func `of another model is refused`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes", model: "mini")

            await expect(.invalidArgument, fields: ["model_id"]) {
                try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes", model: "maxi")
            }
        }
    }

    @Test func `of too long a vector is refused where lengths count`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes", metric: .innerProduct)

            await expect(.invalidArgument, fields: ["documents[0].embedding"]) {
                try await vectors.upsert([.at([1e19, 1e19, 0], "a")], in: "notes")
            }
        }
    }

    @Test func `at the same time as others gets a position of its own`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes")

            let positions = try await withThrowingTaskGroup(of: Int64.self) { group in
                for writer in 0..<12 {
                    group.addTask {
                        try await vectors.upsert(
                            [.at([Float(writer), 0, 0], "shared"), .at([0, Float(writer), 1], "\(writer)")], in: "notes"
                        ).position
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(positions.sorted() == Array(1...12))
            #expect(try await vectors.collection("notes")?.documentCount == 13)
            try await vectors.expectIndexEqualsTable("notes")
        }
    }
}
