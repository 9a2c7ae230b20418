internal import Contracts
internal import RPC

/// The medical texts as a collection: filled by the operator, searched by everybody.
struct SampleKnowledge: Sendable {
    let client: GatewayClient

    private static let documentsPerCall = 500

    private var vectors: VectorsV1.VectorsServiceClient { VectorsV1.VectorsServiceClient(client.channel) }

    func load(_ texts: MedicalTexts) async throws {
        _ = try await client.patiently { options throws(RPCError) in
            try await vectors.createCollection(
                .init(
                    name: MedicalTexts.collection, modelId: MedicalTexts.model, dimension: Int32(MedicalTexts.dimension),
                    metric: .cosine), options: options)
        }
        for batch in texts.documents.batches(of: Self.documentsPerCall) {
            let documents = batch.map { text in
                VectorsV1.Document(
                    id: text.id, content: text.content, embedding: text.embedding,
                    metadata: ["source": text.source, "title": text.title])
            }
            _ = try await client.patiently { options throws(RPCError) in
                try await vectors.upsertDocuments(
                    .init(collection: MedicalTexts.collection, modelId: MedicalTexts.model, documents: documents), options: options)
            }
        }
    }

    func nearest(to question: MedicalTexts.Question, limit: Int) async throws -> [VectorsV1.Match] {
        try await client.patiently { options throws(RPCError) in
            try await vectors.search(
                .init(
                    collection: MedicalTexts.collection, modelId: MedicalTexts.model, embedding: question.embedding,
                    limit: Int32(limit)), options: options)
        }.matches
    }
}
