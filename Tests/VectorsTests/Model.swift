internal import Contracts
internal import HNSW
internal import RPC
internal import TestSupport
internal import Testing

@testable internal import Vectors

/// What a collection should hold, kept by the test.
struct Model {
    var documents: [String: VectorsV1.Document] = [:]
}

extension VectorsService {
    /// Makes a random change, of the collection and of the model.
    func change(_ collection: String, _ model: inout Model, using generator: inout SeededGenerator) async throws {
        if Int.random(in: 0..<3, using: &generator) == 0 {
            let ids = (0..<6).map { _ in "\(Int.random(in: 0..<60, using: &generator))" }
            try await delete(ids, from: collection)
            for id in ids { model.documents[id] = nil }
        } else {
            var documents: [String: VectorsV1.Document] = [:]
            for _ in 0..<8 {
                let id = "\(Int.random(in: 0..<60, using: &generator))"
                let group = "\(Int.random(in: 0..<3, using: &generator))"
                documents[id] = .at(generator.vector(8), id, ["group": group])
            }
            try await upsert(documents.values.sorted { $0.id < $1.id }, in: collection)
            model.documents.merge(documents) { $1 }
        }
    }

    /// Expects searches, with and without a filter, to give what an exact index over the model gives.
    func expect(_ model: Model, in collection: String, using generator: inout SeededGenerator) async throws {
        let metric = try await indexes.index(of: CollectionName(collection)).collection.space.metric
        for group in [nil, "0", "1"] as [String?] {
            let exact = try ExactIndex<String>(dimension: 8, metric: metric)
            for (id, document) in model.documents where group == nil || document.metadata["group"] == group {
                try exact.insert(document.embedding, for: id)
            }
            for _ in 0..<5 {
                let query = generator.vector(8)

                let found = try await find(
                    near: query, in: collection, limit: 10, filter: group.map { ["group": $0] } ?? [:], effort: 200)

                // As wide a search as there are documents is exact.
                #expect(try found.matches.map(\.id) == exact.search(query, k: 10).map(\.key))
            }
        }
    }

    /// Expects the index in memory to hold exactly what the table holds.
    func expectIndexEqualsTable(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let index = try await indexes.index(of: CollectionName(name))
        let changes = try await documents.changes(
            in: index.collection, after: ChangeCursor(behind: 0), limit: 10_000)
        let exact = try ExactIndex<DocumentID>(
            dimension: index.collection.space.dimension, metric: index.collection.space.metric)
        for change in changes {
            if case .live(let embedding, _) = change.state { try exact.insert(embedding, for: change.id) }
        }

        #expect(index.count == exact.count, sourceLocation: sourceLocation)
        #expect(index.seen == changes.last?.position ?? 0, sourceLocation: sourceLocation)
        for change in changes {
            #expect(index.vector(of: change.id) == exact.vector(for: change.id), sourceLocation: sourceLocation)
        }
        #expect(index.validate() == [], sourceLocation: sourceLocation)
    }
}
