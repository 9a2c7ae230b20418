internal import Application
internal import Contracts
internal import Filters
internal import RPC

/// Answers the calls of heartguard.vectors.v1.TransferService.
struct TransferService: Sendable {
    let collections: CollectionRepository
    let documents: DocumentRepository
    let indexes: CollectionIndexes

    /// Documents of one message of an export: one with the longest of everything stays below the 4 MiB that clients take by default.
    static let documentsPerMessage = 64
}

extension TransferService: VectorsV1.TransferServiceProtocol {
    func importDocuments(
        _ requests: RequestStream<VectorsV1.ImportDocumentsRequest>,
        responses: ResponseWriter<VectorsV1.ImportDocumentsResponse>, context: RPCContext
    ) async throws {
        var target: ImportTarget?
        var progress = VectorsV1.ImportDocumentsResponse()
        // A message is read when the one before it is kept, so a sender that is faster waits.
        for try await request in requests {
            let destination = try await self.target(of: request, after: target)
            target = destination
            let new = try request.documents.parsed(in: destination.index.collection.space)
            if destination.keeps {
                let upserted = try await documents.upsert(new, in: destination.index.collection)
                // One index follows while the next documents come, however far it is behind.
                destination.index.wake()
                progress.insertedCount += Int64(new.count - upserted.replacedCount)
                progress.replacedCount += Int64(upserted.replacedCount)
                progress.position = upserted.position
            }
            progress.acceptedCount += Int64(new.count)
            try await responses.write(progress)
        }
    }

    func exportDocuments(
        _ request: VectorsV1.ExportDocumentsRequest,
        responses: ResponseWriter<VectorsV1.ExportDocumentsResponse>, context: RPCContext
    ) async throws {
        let (name, first, filter) = try request.parsed()
        guard let collection = try await collections.find(name) else { throw VectorsError.collectionNotFound }

        try await responses.write(.init(collection: .init(collection)))
        var last = first
        while true {
            let page = try await documents.page(of: collection, after: last, limit: Self.documentsPerMessage)
            let passing = page.filter { filter?.passes($0.metadata.entries) ?? true }
            if !passing.isEmpty { try await responses.write(.init(documents: passing.map { .init($0) })) }
            guard page.count == Self.documentsPerMessage else { return }
            last = page.last?.id
        }
    }

    /// Where the documents of a stream go.
    private struct ImportTarget: Sendable {
        let index: CollectionIndex
        let model: String
        /// Whether they are kept, and not only checked.
        let keeps: Bool
    }

    /// What the first message says holds for those behind it, which may say it again.
    private func target(
        of request: VectorsV1.ImportDocumentsRequest, after target: ImportTarget?
    ) async throws -> ImportTarget {
        guard let target else {
            let index = try await indexes.index(of: request.parsedName())
            try index.collection.space.require(request.modelId)
            return ImportTarget(index: index, model: request.modelId, keeps: !request.validateOnly)
        }
        var violations = FieldViolations()
        violations.check(
            ["", target.index.collection.name.text].contains(request.collection), "collection",
            "It must be that of the stream's first message.")
        violations.check(
            ["", target.model].contains(request.modelId), "model_id", "It must be that of the stream's first message.")
        violations.check(
            !request.validateOnly || !target.keeps, "validate_only", "It must be that of the stream's first message.")
        try violations.throwIfAny()
        return target
    }
}

extension VectorsV1.ImportDocumentsRequest {
    fileprivate func parsedName() throws(RPCError) -> CollectionName {
        var violations = FieldViolations()
        let name = violations.value("collection", collection, CollectionName.init(_:))
        return try violations.complete(name)
    }
}

extension VectorsV1.ExportDocumentsRequest {
    fileprivate func parsed() throws(RPCError) -> (name: CollectionName, last: DocumentID?, filter: Filter?) {
        var violations = FieldViolations()
        let name = violations.value("collection", collection, CollectionName.init(_:))
        let last = afterId.isEmpty ? nil : violations.value("after_id", afterId, DocumentID.init(_:))
        let filter = self.`where`.flatMap { FilterReader.read($0, "where", &violations) }
        return (try violations.complete(name), last, filter)
    }
}

extension VectorsV1.Document {
    fileprivate init(_ document: DocumentRepository.WholeDocument) {
        self.init(
            id: document.id.text, content: document.content, embedding: document.embedding, metadata: document.metadata.texts,
            typedMetadata: document.metadata.typed)
    }
}
