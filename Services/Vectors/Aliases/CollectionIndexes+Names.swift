/// What a request's name leads to.
struct NamedCollection: Sendable {
    let index: CollectionIndex
    /// The alias that was named; `nil` if it was the collection itself.
    let alias: CollectionName?
}

/// What a search by a name is answered from.
struct SearchedCollection: Sendable {
    let index: CollectionIndex
    /// What the index must have seen: by an alias all that the collection had when the alias began to lead to it.
    var position: Int64 = 0
}

extension CollectionIndexes {
    /// What a name means to a write or an export. An alias leads where the database says now.
    ///
    /// - Throws: `VectorsError.noCollection(_:)`, or why the database could not be asked.
    func named(_ name: CollectionName) async throws -> NamedCollection {
        if let index = known(name) { return NamedCollection(index: index, alias: nil) }
        if let alias = try await aliases.find(name), let found = try await searched(alias.target, by: alias) {
            return NamedCollection(index: found.index, alias: name)
        }
        return NamedCollection(index: try await index(of: name), alias: nil)
    }

    /// What a search by a name is answered from, which has embeddings of a model and is to see a position.
    ///
    /// A replica follows aliases as it follows tables, so where one leads is known without asking. The database is asked where what is
    /// known is not enough: a position behind the last change that is known, or a model that is none of the alias's.
    ///
    /// - Throws: `.collectionNotFound`; `.otherModel` if neither the alias's collection nor the one before has that model.
    func searched(by name: CollectionName, for model: String, at position: Int64) async throws -> SearchedCollection {
        if let index = known(name) { return SearchedCollection(index: index) }
        if let alias = aliases.known(name), position <= alias.position, let target = alias.answering(model, at: position),
            let found = try await searched(target, by: alias)
        {
            return found
        }
        guard let alias = try await aliases.find(name) else { return SearchedCollection(index: try await index(of: name)) }
        guard let target = alias.answering(model, at: position) else {
            throw VectorsError.otherModel(expected: alias.target.model, given: try? ModelID(model))
        }
        guard let found = try await searched(target, by: alias) else { throw VectorsError.collectionNotFound }
        return found
    }

    /// Runs a change where a name leads, and again where it leads then if that is elsewhere meanwhile.
    func changing<Value: Sendable>(
        by name: CollectionName, _ body: (NamedCollection) async throws -> Value
    ) async throws -> Value {
        for _ in 0..<Self.writeAttempts {
            do { return try await body(named(name)) } catch VectorsError.aliasHasMoved {}
        }
        throw VectorsError.aliasHasMoved
    }

    private static let writeAttempts = 3

    /// The index of what an alias leads to, which may have got its name after this replica had one of another under it.
    private func searched(
        _ target: CollectionAlias.Target, by alias: CollectionAlias
    ) async throws -> SearchedCollection? {
        let index: CollectionIndex
        if let known = known(target.name), known.collection.id == target.id {
            index = known
        } else {
            guard let collection = try await find(target.name), collection.id == target.id else { return nil }
            index = try adopt(collection)
        }
        guard target == alias.target else { return SearchedCollection(index: index) }
        // Its table is there, though no row may be of that position.
        index.tableHasReached(alias.position)
        return SearchedCollection(index: index, position: alias.position)
    }
}
