internal import Contracts
internal import RPC

@testable internal import Vectors

/// The calls about aliases, of the replica that this is of.
extension VectorsService {
    private var aliases: AliasesService {
        AliasesService(collections: collections, aliases: AliasRepository(postgres: collections.postgres), indexes: indexes)
    }

    private var context: RPCContext { RPCContext(method: VectorsV1.AliasesServiceMethods.createAlias.descriptor) }

    @discardableResult
    func name(_ alias: String, for collection: String) async throws -> VectorsV1.CreateAliasResponse {
        try await aliases.createAlias(.init(name: alias, collection: collection), context: context)
    }

    @discardableResult
    func point(_ alias: String, to collection: String, copied: Int64? = nil) async throws -> VectorsV1.Alias {
        let request = VectorsV1.UpdateAliasRequest(name: alias, collection: collection, copiedPosition: copied)
        return try await aliases.updateAlias(request, context: context).alias ?? .init()
    }

    func remove(_ alias: String) async throws {
        _ = try await aliases.deleteAlias(.init(name: alias), context: context)
    }

    /// All but those that the schema brings.
    func listedAliases() async throws -> [VectorsV1.Alias] {
        try await aliases.listAliases(.init(), context: context).aliases.filter { !$0.name.hasPrefix("vector_") }
    }

    @discardableResult
    func deleteCollection(_ name: String) async throws -> VectorsV1.DeleteCollectionResponse {
        try await deleteCollection(.init(collection: name), context: context)
    }
}
