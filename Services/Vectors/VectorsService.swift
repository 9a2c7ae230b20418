internal import Application
internal import Contracts
internal import Filters
internal import RPC
internal import Time

/// Answers the calls of heartguard.vectors.v1.VectorsService.
struct VectorsService: Sendable {
    let collections: CollectionRepository
    let documents: DocumentRepository
    let indexes: CollectionIndexes
    let texts: DocumentTexts
    /// Answers searches whose index is not there yet.
    let rows: RowSearch
    let recall: RecallSampler
    /// Where the graphs are searched.
    let threads: ComputeThreads
}

extension VectorsService: VectorsV1.VectorsServiceProtocol {
    func createCollection(
        _ request: VectorsV1.CreateCollectionRequest, context: RPCContext
    ) async throws -> VectorsV1.CreateCollectionResponse {
        let (name, space) = try request.parsed()

        let (collection, isNew) = try await collections.create(name, in: space)
        guard collection.space == space else { throw VectorsError.pinnedOtherwise(collection.space) }
        try await CurrentTask.afterCommit { [indexes] in try indexes.adopt(collection) }
        return VectorsV1.CreateCollectionResponse(collection: .init(collection), created: isNew)
    }

    func listCollections(
        _ request: VectorsV1.ListCollectionsRequest, context: RPCContext
    ) async throws -> VectorsV1.ListCollectionsResponse {
        VectorsV1.ListCollectionsResponse(collections: try await collections.list().map { .init($0) })
    }

    func deleteCollection(
        _ request: VectorsV1.DeleteCollectionRequest, context: RPCContext
    ) async throws -> VectorsV1.DeleteCollectionResponse {
        let collection = try await indexes.named(request.parsedName()).index.collection
        guard !DocumentTable.ownNames.contains(collection.name) else { throw VectorsError.collectionOfTheSchema }

        let count = try await collections.delete(collection)
        try await CurrentTask.afterCommit { [indexes] in indexes.drop(collection) }
        return VectorsV1.DeleteCollectionResponse(deletedCount: count, collection: collection.name.text)
    }

    func upsertDocuments(
        _ request: VectorsV1.UpsertDocumentsRequest, context: RPCContext
    ) async throws -> VectorsV1.UpsertDocumentsResponse {
        try await indexes.changing(by: request.parsedName()) { named in
            let index = named.index
            let new = try request.parsedDocuments(for: index.collection)

            let upserted = try await documents.upsert(new, in: index.collection, by: named.alias)
            try await settle(index, at: upserted.position)
            return VectorsV1.UpsertDocumentsResponse(
                insertedCount: Int32(new.count - upserted.replacedCount), replacedCount: Int32(upserted.replacedCount),
                position: upserted.position, collection: index.collection.name.text)
        }
    }

    func deleteDocuments(
        _ request: VectorsV1.DeleteDocumentsRequest, context: RPCContext
    ) async throws -> VectorsV1.DeleteDocumentsResponse {
        let (name, selection) = try request.parsed()
        return try await indexes.changing(by: name) { named in
            let index = named.index
            let deleted =
                switch selection {
                case .ids(let ids): try await documents.delete(ids, from: index.collection, by: named.alias)
                case .passing(let filter): try await delete(passing: filter, from: named)
                }
            try await settle(index, at: deleted.position)
            return VectorsV1.DeleteDocumentsResponse(
                deletedCount: Int32(deleted.count), position: deleted.position, collection: index.collection.name.text)
        }
    }

    func search(_ request: VectorsV1.SearchRequest, context: RPCContext) async throws -> VectorsV1.SearchResponse {
        let searched = try await indexes.searched(
            by: request.parsedName(), for: request.modelId, at: request.minPosition)
        let index = searched.index
        let query = try request.parsedQuery(for: index.collection)
        let wanted = max(request.minPosition, searched.position)
        let isDegraded = index.seen == nil
        var answer: CollectionIndex.Answer
        if isDegraded {
            answer = try await searchRows(of: index, query)
            guard answer.position >= wanted else { throw VectorsError.behind(wanted: wanted, seen: answer.position) }
        } else {
            guard await index.hasSeen(wanted, by: .forWaiting) else {
                throw index.seen.map { VectorsError.behind(wanted: wanted, seen: $0) } ?? .indexIsBuilding
            }
            answer = try await search(index, query)
            recall.offer(query, of: index)
        }
        var matches: [VectorsV1.Match]
        if request.view == .id {
            matches = answer.hits.map { VectorsV1.Match(id: $0.id.text, score: $0.score) }
        } else {
            matches = try await documents(of: answer, to: query, in: index, isDegraded: isDegraded)
            // The table is ahead of the index, as after another replica's deletion. In place of what is left out other documents are wanted.
            for _ in 0..<Self.searchesAnew where !isDegraded && matches.count < answer.hits.count {
                guard try await catchUp(index, behind: answer.position) else { break }
                answer = try await search(index, query)
                matches = try await documents(of: answer, to: query, in: index, isDegraded: false)
            }
            matches = AnswerBytes.fitting(matches)
        }
        // Documents that were read of the table may be newer than the index.
        let newest = matches.reduce(answer.newest) { max($0, $1.documentPosition) }
        return VectorsV1.SearchResponse(
            matches: matches, position: newest, exact: answer.isExact, degraded: isDegraded, collection: index.collection.name.text)
    }

    /// How often a search is made again because documents that it found have changed since.
    private static let searchesAnew = 3

    /// Lets an index follow its table to where that is now, for half a second at most; `false` if that is no further than a position.
    private func catchUp(_ index: CollectionIndex, behind position: Int64) async throws -> Bool {
        guard let kept = try await collections.find(index.collection.name), kept.id == index.collection.id else {
            throw VectorsError.collectionNotFound
        }
        guard kept.position > position else { return false }
        index.tableHasReached(kept.position)
        _ = await index.hasSeen(kept.position, by: min(Deadline.forWaiting, .after(.milliseconds(500))))
        return true
    }

    /// What is kept of the documents that were found.
    private func documents(
        of answer: CollectionIndex.Answer, to query: SearchQuery, in index: CollectionIndex, isDegraded: Bool
    ) async throws -> [VectorsV1.Match] {
        if !isDegraded, let unchanged = await unchangedDocuments(of: answer, in: index) {
            return zip(unchanged, answer.hits).map { VectorsV1.Match($0, score: $1.score) }
        }
        let found = try await documents.find(answer.hits.map(\.id), in: index.collection)
        if found.isEmpty, !answer.hits.isEmpty { try await requireCollection(of: index) }
        let kept = Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) })
        if !isDegraded { texts.keep(kept, of: answer.hits, in: index) }
        // The table is newer than the graph, and its rows are what the caller gets: one that was deleted meanwhile, or
        // no longer passes the filter, is left out.
        return answer.hits.compactMap { hit -> VectorsV1.Match? in
            guard let document = kept[hit.id], query.filter?.passes(document.metadata.entries) ?? true else { return nil }
            return VectorsV1.Match(document, score: hit.score)
        }
    }

    /// The same without reading the rows: if all are in memory, and the table says, asked once for all searches of the moment, that it has not changed
    /// since the index was searched.
    private func unchangedDocuments(of answer: CollectionIndex.Answer, in index: CollectionIndex) async -> [KeptDocument]? {
        var kept = texts.documents(of: answer.hits, in: index)
        if kept != nil, await index.tableReading.value({ try await documents.position(of: index.collection) }) != answer.position { kept = nil }
        texts.countAnswer(fromMemory: kept != nil)
        return kept
    }

    /// Another replica may have deleted the collection a moment ago.
    private func requireCollection(of index: CollectionIndex) async throws {
        guard try await collections.find(index.collection.name)?.id == index.collection.id else {
            throw VectorsError.collectionNotFound
        }
    }

    /// Deletes exactly the documents that pass when they go: the index is asked once it has everything that the table has, while
    /// the table's lock keeps further changes out.
    private func delete(
        passing filter: Filter, from named: NamedCollection
    ) async throws -> DocumentRepository.Deleted {
        let index = named.index
        // Nobody waits for a build with the table's lock in hand.
        guard await index.hasSeen(0, by: .forWaiting) else { throw VectorsError.indexIsBuilding }
        return try await documents.delete(from: index.collection, by: named.alias) { position in
            index.tableHasReached(position)
            guard await index.hasSeen(position, by: .forWaiting) else {
                throw index.seen.map { VectorsError.behind(wanted: position, seen: $0) } ?? .indexIsBuilding
            }
            // With the table's lock in hand nothing can be further than it: such an index is of the table before a backup was restored.
            guard let seen = index.seen, seen <= position else { throw VectorsError.indexIsBuilding }
            return index.ids(passing: filter)
        }
    }

    /// Searches the table, since there is no index yet.
    private func searchRows(of index: CollectionIndex, _ query: SearchQuery) async throws -> CollectionIndex.Answer {
        let deadline = Deadline.current
        return try await rows.search(query, in: index.collection) { deadline?.hasPassed ?? false }
    }

    /// Searches at once if that is soon done, since the way to another thread and back would take as long; else on the threads meant for it, until the
    /// caller has gone or the deadline has passed.
    private func search(_ index: CollectionIndex, _ query: SearchQuery) async throws -> CollectionIndex.Answer {
        let deadline = Deadline.current
        if index.isBrief(query) { return try index.search(query) { deadline?.hasPassed ?? false } }
        do {
            return try await threads.run { cancellation in
                try index.search(query) { cancellation.isSet || (deadline?.hasPassed ?? false) }
            }
        } catch is ComputeThreads.Full {
            throw VectorsError.busy
        }
    }

    /// Lets whoever reads the answer find what was just committed on this replica too.
    ///
    /// If the index does not get there in time the change is still made, so the answer is still yes: a search that
    /// must see it asks for its position.
    private func settle(_ index: CollectionIndex, at position: Int64) async throws {
        try await CurrentTask.afterCommit {
            // A large index takes long to build, and is searched by its rows until then.
            index.tableHasReached(position)
            let patience = index.seen == nil ? Deadline.earlier(.forWaiting, .after(.seconds(1))) : nil
            _ = await index.hasSeen(position, by: patience ?? .forWaiting)
        }
    }
}

extension Deadline {
    /// Until when a call may wait for an index: long enough before its own deadline that the answer still arrives.
    static var forWaiting: Deadline {
        let remaining = Deadline.current?.remaining ?? .seconds(5)
        return .after(remaining - max(.milliseconds(20), remaining / 10))
    }
}
