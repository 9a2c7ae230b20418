internal import Application
internal import Contracts
internal import RPC

/// What can go wrong with collections and searches, apart from a field that breaks a rule and a database that is away.
enum VectorsError: Error, Hashable {
    case collectionNotFound
    /// The name is that of the table of people's memories, which `MemoriesService` is asked for.
    case memoriesAreNoCollection
    /// The name is taken by a collection of another model, dimension or metric.
    case pinnedOtherwise(EmbeddingSpace)
    /// The request's model is not that of what it asks for. `given` is `nil` if it names none that could be.
    case otherModel(expected: ModelID, given: ModelID?)
    case aliasNotFound
    /// The name is taken by an alias that leads to this collection.
    case aliasLeadsElsewhere(CollectionName)
    case nameIsAnAliass
    case nameIsACollections
    /// The alias began to lead to another collection while a write by it ran.
    case aliasHasMoved
    /// The collection that an alias is to leave has gone on, to this position.
    case changedSinceCopied(Int64)
    /// The collection cannot be deleted, since these aliases lead to it.
    case aliasesLeadTo([CollectionName])
    /// The collection cannot be deleted, since the schema brings it.
    case collectionOfTheSchema
    /// The collection's index is still being built.
    case indexIsBuilding
    /// The index is still being built, and as many searches go through the rows as may.
    case tooManyRowSearches
    /// The replica did not reach the position in time.
    case behind(wanted: Int64, seen: Int64)
    /// The threads that search have as much to do as they may queue.
    case busy
    /// The deadline passed while the graph was searched.
    case searchTookTooLong
    /// The person would have more memories than there may be.
    case tooManyMemories

    /// There is no collection with a name that was asked for.
    static func noCollection(_ name: CollectionName) -> VectorsError {
        name == .userMemories ? .memoriesAreNoCollection : .collectionNotFound
    }
}

extension VectorsError: RPCErrorConvertible {
    var rpcError: RPCError {
        switch self {
        case .collectionNotFound:
            RPCError(.notFound, "There is no collection with this name.")
        case .memoriesAreNoCollection:
            RPCError(
                .notFound,
                "What is remembered of people is no collection. heartguard.vectors.v1.MemoriesService (/v1/vectors/memories) has it, each person's own.")
        case .pinnedOtherwise(let space):
            RPCError(
                .alreadyExists,
                """
                A collection with this name is pinned to the model \(space.model.text), \(space.dimension) dimensions \
                and the metric \(space.metric.storedName).
                """)
        case .otherModel(let expected, let given):
            .invalid([
                (
                    "model_id",
                    """
                    The embeddings here are made by the model \(expected.text), and the request's \
                    \(given.map { "by \($0.text)" } ?? "by none that it names").
                    """
                )
            ])
        case .aliasNotFound:
            RPCError(.notFound, "There is no alias with this name.")
        case .aliasLeadsElsewhere(let collection):
            RPCError(
                .alreadyExists,
                "An alias with this name leads to the collection \(collection.text); UpdateAlias lets it lead elsewhere.")
        case .nameIsAnAliass:
            RPCError(.alreadyExists, "An alias has this name.")
        case .nameIsACollections:
            RPCError(.alreadyExists, "A collection has this name.")
        case .aliasHasMoved:
            RPCError(
                .aborted, "The alias began to lead to another collection meanwhile. What was kept before is in the one before.")
        case .changedSinceCopied(let position):
            RPCError(
                .failedPrecondition,
                """
                The collection that the alias leads to has been changed since it was copied; its position is \(position). Copy \
                what has changed, and try again.
                """)
        case .aliasesLeadTo(let aliases):
            RPCError(
                .failedPrecondition,
                """
                The collection is in use: \(aliases.isEmpty ? "an alias" : aliases.map(\.text).joined(separator: ", ")) leads to it. \
                Let it lead elsewhere, or delete it, first.
                """)
        case .collectionOfTheSchema:
            RPCError(.failedPrecondition, "The collection is one that the schema brings, and stays. Its documents can be deleted.")
        case .indexIsBuilding:
            .unavailable("The collection's index is still being built.")
        case .tooManyRowSearches:
            .unavailable("The collection's index is still being built, and other searches go through its rows.")
        case .behind(let wanted, let seen):
            .unavailable("This replica has seen position \(seen) and did not reach position \(wanted) in time.")
        case .busy:
            .retry(
                .resourceExhausted, "More searches are waiting than this replica takes on.", after: .milliseconds(200))
        case .searchTookTooLong:
            RPCError(.deadlineExceeded, "The search did not end in time.")
        case .tooManyMemories:
            .quota(
                "user",
                "A person has at most \(KeptMemory.mostOfOnePerson) memories. Delete some before adding others.")
        }
    }
}
