internal import Application
internal import Contracts
internal import RPC
internal import Time

/// Answers the calls of heartguard.vectors.v1.AliasesService.
struct AliasesService: Sendable {
    let collections: CollectionRepository
    let aliases: AliasRepository
    let indexes: CollectionIndexes
}

extension AliasesService: VectorsV1.AliasesServiceProtocol {
    func createAlias(
        _ request: VectorsV1.CreateAliasRequest, context: RPCContext
    ) async throws -> VectorsV1.CreateAliasResponse {
        let (name, target) = try request.parsed()
        let collection = try await collection(target)

        let (alias, isNew) = try await aliases.create(name, for: collection)
        guard alias.target.id == collection.id else { throw VectorsError.aliasLeadsElsewhere(alias.target.name) }
        try await CurrentTask.afterCommit { [indexes] in indexes.aliases.note(alias) }
        return VectorsV1.CreateAliasResponse(alias: .init(alias), created: isNew)
    }

    func updateAlias(
        _ request: VectorsV1.UpdateAliasRequest, context: RPCContext
    ) async throws -> VectorsV1.UpdateAliasResponse {
        let (name, target, copied) = try request.parsed()
        let collection = try await collection(target)
        let index = try indexes.adopt(collection)
        // What is not in the index yet would be missing from the first answers.
        guard await index.hasSeen(collection.position, by: .forWaiting) else {
            throw index.seen.map { VectorsError.behind(wanted: collection.position, seen: $0) } ?? .indexIsBuilding
        }

        let alias = try await aliases.point(name, to: collection, copied: copied)
        try await CurrentTask.afterCommit { [indexes] in
            indexes.aliases.note(alias)
            index.tableHasReached(alias.position)
        }
        return VectorsV1.UpdateAliasResponse(alias: .init(alias))
    }

    func deleteAlias(
        _ request: VectorsV1.DeleteAliasRequest, context: RPCContext
    ) async throws -> VectorsV1.DeleteAliasResponse {
        let name = try request.parsed()

        let wasThere = try await aliases.delete(name)
        try await CurrentTask.afterCommit { [indexes] in indexes.aliases.forget(name) }
        guard wasThere else { throw VectorsError.aliasNotFound }
        return VectorsV1.DeleteAliasResponse()
    }

    func listAliases(
        _ request: VectorsV1.ListAliasesRequest, context: RPCContext
    ) async throws -> VectorsV1.ListAliasesResponse {
        VectorsV1.ListAliasesResponse(aliases: try await aliases.list().map { .init($0) })
    }

    private func collection(_ name: CollectionName) async throws -> Collection {
        guard let collection = try await collections.find(name) else { throw VectorsError.noCollection(name) }
        return collection
    }
}
