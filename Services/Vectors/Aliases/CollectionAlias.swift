internal import FoundationEssentials
internal import Time

/// A name that leads to a collection.
struct CollectionAlias: Hashable, Sendable {
    /// A collection, as an alias knows it.
    struct Target: Hashable, Sendable {
        let id: UUID
        let name: CollectionName
        let model: ModelID
    }

    let name: CollectionName
    let target: Target
    /// What it led to before the last change, if that is there still.
    let previous: Target?
    /// The target's position when the alias began to lead to it: above every position that it had led to before.
    let position: Int64
    let createdAt: Instant
    let updatedAt: Instant

    /// Whether this is what was kept of the alias later than the other, which has the same name.
    func isNewer(than other: CollectionAlias) -> Bool {
        (createdAt, position) > (other.createdAt, other.position)
    }

    /// The collection that a search is answered from which has embeddings of a model and is to see a position; `nil` if there is none.
    ///
    /// That is the target; or, for embeddings of its model, the one before, since who asks learns of a change of the model later than the
    /// alias. What is to see the change itself, or what came behind it, is not answered from there.
    func answering(_ model: String, at position: Int64) -> Target? {
        if target.model.text == model { return target }
        return previous.flatMap { $0.model.text == model && position < self.position ? $0 : nil }
    }
}
