internal import Application
internal import Contracts
internal import Filters
internal import HNSW
internal import RPC
internal import TestSupport
internal import Testing

@testable internal import Vectors

extension VectorsV1.Document {
    /// Whether a look at the document itself lets it pass.
    fileprivate func passes(_ filter: VectorsV1.Filter?) throws -> Bool {
        guard let filter else { return true }
        var violations = FieldViolations()
        let read = FilterReader.read(filter, "where", &violations)
        let entries = DocumentMetadata.read(texts: metadata, typed: typedMetadata, "", &violations)?.entries
        return try #require(read).passes(try #require(entries))
    }
}

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
                let year = Double(Int.random(in: 2_020..<2_026, using: &generator))
                let isReviewed = Int.random(in: 0..<2, using: &generator) == 0
                documents[id] = .at(
                    generator.vector(8), id, ["group": group],
                    typed: isReviewed ? ["year": .number(year), "reviewed": .boolean(true)] : ["year": .number(year)])
            }
            try await upsert(documents.values.sorted { $0.id < $1.id }, in: collection)
            model.documents.merge(documents) { $1 }
        }
    }

    /// Expects searches, with and without a filter, to give what an exact index over the model gives.
    func expect(_ model: Model, in collection: String, using generator: inout SeededGenerator) async throws {
        let metric = try await indexes.index(of: CollectionName(collection)).collection.space.metric
        let filters: [VectorsV1.Filter?] = [
            nil, .equals("group", .text("0")), .equals("group", .text("3")),
            .anyOf([.equals("reviewed", .boolean(true)), .range("year", from: .number(2_023))]),
            .allOf([.noneOf([.exists("reviewed")]), .range("year", to: .number(2_024))]),
        ]
        for filter in filters {
            let exact = try ExactIndex<String>(dimension: 8, metric: metric)
            for (id, document) in model.documents where try document.passes(filter) {
                try exact.insert(document.embedding, for: id)
            }
            for _ in 0..<5 {
                let query = generator.vector(8)

                let found = try await find(
                    near: query, in: collection, limit: 10, where: filter, effort: 200)

                // As wide a search as there are documents is exact.
                #expect(try found.matches.map(\.id) == exact.search(query, k: 10).map(\.key))
            }
        }
    }

    /// Expects the index in memory to hold exactly what the table holds.
    func expectIndexEqualsTable(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        // Until it is built, searches are answered from the rows.
        let index = try await untilBuilt(name)
        let changes = try await documents.changes(
            in: index.collection, after: ChangeCursor(behind: 0), limit: 10_000)
        let exact = try ExactIndex<DocumentID>(
            dimension: index.collection.space.dimension, metric: index.collection.space.metric)
        for change in changes {
            if case .live(let embedding, _, _) = change.state { try exact.insert(embedding, for: change.id) }
        }

        #expect(index.count == exact.count, sourceLocation: sourceLocation)
        #expect(index.seen == changes.last?.position ?? 0, sourceLocation: sourceLocation)
        for change in changes {
            #expect(index.vector(of: change.id) == exact.vector(for: change.id), sourceLocation: sourceLocation)
        }
        #expect(index.validate() == [], sourceLocation: sourceLocation)
    }
}
