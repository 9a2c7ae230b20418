internal import Application
internal import Contracts
internal import Filters
internal import Postgres
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
                let upserted = try await documents.upsert(
                    new, in: destination.index.collection, by: destination.alias)
                // One index follows while the next documents come, however far it is behind.
                destination.index.wake()
                progress.insertedCount += Int64(new.count - upserted.replacedCount)
                progress.replacedCount += Int64(upserted.replacedCount)
                progress.position = upserted.position
            }
            progress.acceptedCount += Int64(new.count)
            progress.collection = destination.index.collection.name.text
            try await responses.write(progress)
        }
    }

    func exportDocuments(
        _ request: VectorsV1.ExportDocumentsRequest,
        responses: ResponseWriter<VectorsV1.ExportDocumentsResponse>, context: RPCContext
    ) async throws {
        let export = try request.parsed()
        // As the database has it now, since every change up to its position is to follow.
        let known = try await indexes.named(export.name).index.collection
        guard let collection = try await collections.find(known.name), collection.id == known.id else {
            throw VectorsError.collectionNotFound
        }

        try await responses.write(.init(collection: .init(collection)))
        switch export.selection {
        case .documents(let first, let filter):
            try await write(documentsOf: collection, after: first, passing: filter, export.hasEmbeddings, to: responses)
        case .changes(let first):
            try await write(changesOf: collection, after: first, export.hasEmbeddings, to: responses)
        }
    }

    private func write(
        documentsOf collection: Collection, after first: DocumentID?, passing filter: Filter?, _ hasEmbeddings: Bool,
        to responses: ResponseWriter<VectorsV1.ExportDocumentsResponse>
    ) async throws {
        var last = first
        while true {
            let page = try await documents.page(of: collection, after: last, limit: Self.documentsPerMessage)
            let passing = page.filter { filter?.passes($0.metadata.entries) ?? true }
            if !passing.isEmpty {
                try await responses.write(.init(documents: passing.map { .init($0, hasEmbedding: hasEmbeddings) }))
            }
            guard page.count == Self.documentsPerMessage else { return }
            last = page.last?.id
        }
    }

    private func write(
        changesOf collection: Collection, after first: Int64, _ hasEmbeddings: Bool,
        to responses: ResponseWriter<VectorsV1.ExportDocumentsResponse>
    ) async throws {
        var cursor = ChangeCursor(behind: first)
        while true {
            let page = try await documents.changes(in: collection, after: cursor, limit: Self.documentsPerMessage)
            let isLast = page.count < Self.documentsPerMessage
            // Of the last position of a full page there may be more rows. Behind the last page nothing is left that was there at the beginning.
            let end = page.last.map { isLast ? $0.position : $0.position - 1 } ?? first
            var message = VectorsV1.ExportDocumentsResponse(position: isLast ? max(end, collection.position) : max(end, first))
            for change in page { try message.add(change, hasEmbedding: hasEmbeddings) }
            try await responses.write(message)
            guard !isLast, let last = page.last else { return }
            cursor = ChangeCursor(behind: last)
        }
    }

    /// Where the documents of a stream go.
    private struct ImportTarget: Sendable {
        let index: CollectionIndex
        /// What the stream calls the collection, and whether that is an alias.
        let name: CollectionName
        let alias: CollectionName?
        let model: String
        /// Whether they are kept, and not only checked.
        let keeps: Bool
    }

    /// What the first message says holds for those behind it, which may say it again.
    private func target(
        of request: VectorsV1.ImportDocumentsRequest, after target: ImportTarget?
    ) async throws -> ImportTarget {
        guard let target else {
            let name = try request.parsedName()
            let named = try await indexes.named(name)
            try named.index.collection.space.require(request.modelId)
            return ImportTarget(
                index: named.index, name: name, alias: named.alias, model: request.modelId, keeps: !request.validateOnly)
        }
        var violations = FieldViolations()
        violations.check(
            ["", target.name.text].contains(request.collection), "collection",
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
    fileprivate struct Parsed: Sendable {
        enum Selection: Sendable {
            case documents(after: DocumentID?, passing: Filter?)
            case changes(after: Int64)
        }

        let name: CollectionName
        let selection: Selection
        let hasEmbeddings: Bool
    }

    fileprivate func parsed() throws(RPCError) -> Parsed {
        var violations = FieldViolations()
        let name = violations.value("collection", collection, CollectionName.init(_:))
        let last = afterId.isEmpty ? nil : violations.value("after_id", afterId, DocumentID.init(_:))
        let filter = self.`where`.flatMap { FilterReader.read($0, "where", &violations) }
        if let changedAfter {
            violations.check(changedAfter >= 0, "changed_after", "It must not be negative.")
            violations.check(afterId.isEmpty, "after_id", "It must be empty beside changed_after.")
            violations.check(self.`where` == nil, "where", "There must be none beside changed_after.")
        }
        return Parsed(
            name: try violations.complete(name),
            selection: changedAfter.map { .changes(after: $0) } ?? .documents(after: last, passing: filter),
            hasEmbeddings: !withoutEmbeddings)
    }
}

extension VectorsV1.ExportDocumentsResponse {
    /// - Throws: `PostgresError` for a row that does not hold what it should.
    fileprivate mutating func add(_ change: DocumentChange, hasEmbedding: Bool) throws {
        switch change.state {
        case .live(let embedding, let metadata, let content):
            documents.append(
                .init(
                    .init(id: change.id, content: content, embedding: embedding, metadata: metadata),
                    hasEmbedding: hasEmbedding))
        case .deleted: deletedIds.append(change.id.text)
        case .unreadable(let reason): throw PostgresError(.decoding, reason)
        }
    }
}

extension VectorsV1.Document {
    fileprivate init(_ document: DocumentRepository.WholeDocument, hasEmbedding: Bool) {
        self.init(
            id: document.id.text, content: document.content, embedding: hasEmbedding ? document.embedding : [], metadata: document.metadata.texts,
            typedMetadata: document.metadata.typed)
    }
}
