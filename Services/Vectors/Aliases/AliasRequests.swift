internal import Application
internal import Contracts
internal import RPC

extension VectorsV1.CreateAliasRequest {
    func parsed() throws(RPCError) -> (name: CollectionName, collection: CollectionName) {
        var violations = FieldViolations()
        let name = violations.value("name", self.name, CollectionName.init(new:))
        let collection = violations.value("collection", self.collection, CollectionName.init(_:))
        let parts = try violations.complete(name, collection)
        return (parts.0, parts.1)
    }
}

extension VectorsV1.UpdateAliasRequest {
    func parsed() throws(RPCError) -> (name: CollectionName, collection: CollectionName, copied: Int64?) {
        var violations = FieldViolations()
        let name = violations.value("name", self.name, CollectionName.init(_:))
        let collection = violations.value("collection", self.collection, CollectionName.init(_:))
        violations.check((copiedPosition ?? 0) >= 0, "copied_position", "It must not be negative.")
        let parts = try violations.complete(name, collection)
        return (parts.0, parts.1, copiedPosition)
    }
}

extension VectorsV1.DeleteAliasRequest {
    func parsed() throws(RPCError) -> CollectionName {
        var violations = FieldViolations()
        let name = violations.value("name", self.name, CollectionName.init(_:))
        return try violations.complete(name)
    }
}

extension VectorsV1.Alias {
    init(_ alias: CollectionAlias) {
        self.init(
            name: alias.name.text, collection: alias.target.name.text, modelId: alias.target.model.text,
            previousCollection: alias.previous?.name.text ?? "", previousModelId: alias.previous?.model.text ?? "",
            position: alias.position, createdAt: .init(alias.createdAt), updatedAt: .init(alias.updatedAt))
    }
}
