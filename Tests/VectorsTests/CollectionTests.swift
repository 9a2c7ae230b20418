internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import Testing

@testable internal import Vectors

@Suite struct `A collection` {
    @Test func `is made once and pinned to its model, dimension and metric`() async throws {
        try await withVectors { vectors in
            let first = try await vectors.create("notes", dimension: 3, metric: .cosine, model: "mini")
            let second = try await vectors.create("notes", dimension: 3, metric: .cosine, model: "mini")

            #expect(first.created)
            #expect(!second.created)
            #expect(second.collection == first.collection)
            #expect(first.collection?.modelId == "mini")
            #expect(first.collection?.position == 0)
        }
    }

    @Test func `of another model, dimension or metric than the one that has the name is refused`() async throws {
        try await withVectors { vectors in
            try await vectors.create("notes", dimension: 3, metric: .cosine, model: "mini")

            await expect(.alreadyExists) {
                try await vectors.create("notes", dimension: 3, metric: .cosine, model: "maxi")
            }
            await expect(.alreadyExists) {
                try await vectors.create("notes", dimension: 4, metric: .cosine, model: "mini")
            }
            await expect(.alreadyExists) {
                try await vectors.create("notes", dimension: 3, metric: .euclidean, model: "mini")
            }
        }
    }

    @Test func `that breaks rules is refused by field`() async throws {
        try await withVectors { vectors in
            await expect(.invalidArgument, fields: ["name", "model_id", "dimension", "metric"]) {
                try await vectors.create("Notes!", dimension: 4_097, metric: .unspecified, model: "")
            }
        }
    }

    @Test func `is in the list, by name, with what it has become`() async throws {
        try await withVectors { vectors in
            try await vectors.create("zebra")
            try await vectors.create("ant")
            try await vectors.upsert([.at([1, 0, 0], "a"), .at([0, 1, 0], "b")], in: "zebra")
            try await vectors.delete(["a"], from: "zebra")

            let zebra = try #require(try await vectors.collection("zebra"))
            #expect(try await vectors.collections.list().map(\.name.text) .filter { !DocumentTable.ownNames.contains(CollectionName(kept: $0)) }
                    == ["ant", "zebra"])
            #expect(zebra.documentCount == 1)
            #expect(zebra.position == 2)
        }
    }

    @Test func `that is not there is not found`() async throws {
        try await withVectors { vectors in
            await expect(.notFound) { try await vectors.find(near: [1, 2, 3], in: "nothing") }
            await expect(.notFound) { try await vectors.upsert([.at([1, 2, 3], "a")], in: "nothing") }
            await expect(.notFound) { try await vectors.delete(["a"], from: "nothing") }
        }
    }

    @Test func `of people's memories there is none, and whoever asks for it is told who has them`() async throws {
        try await withVectors { vectors in
            let name = "vector_user_memories"
            let table = try CollectionName(name)

            #expect(try await vectors.collection(name) == nil)
            await #expect(throws: VectorsError.memoriesAreNoCollection) { try await vectors.find(near: [1, 2, 3], in: name) }
            await #expect(throws: VectorsError.memoriesAreNoCollection) { try await vectors.upsert([.at([1, 2, 3], "a")], in: name) }
            await #expect(throws: VectorsError.memoriesAreNoCollection) { try await vectors.delete(["a"], from: name) }
            await #expect(throws: VectorsError.memoriesAreNoCollection) { try await vectors.name("remembered", for: name) }
            let refusal = VectorsError.noCollection(table).rpcError
            #expect(refusal.code == .notFound && refusal.message.contains("heartguard.vectors.v1.MemoriesService"))
            // Nor can there be one.
            await expect(.invalidArgument, fields: ["name"]) { try await vectors.create(name) }
            try await vectors.create("notes")
            await expect(.invalidArgument, fields: ["name"]) { try await vectors.name(name, for: "notes") }
        }
    }
}

extension VectorsV1.Document {
    /// A document at a place; its content says which it is.
    static func at(
        _ embedding: [Float], _ id: String, _ metadata: [String: String] = [:],
        typed: [String: VectorsV1.MetadataValue.OneOf_Kind] = [:], content: String? = nil
    ) -> VectorsV1.Document {
        VectorsV1.Document(
            id: id, content: content ?? "content of \(id)", embedding: embedding, metadata: metadata,
            typedMetadata: typed.mapValues { .init(kind: $0) })
    }
}
