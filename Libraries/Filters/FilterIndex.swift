/// The metadata of documents, turned round: for every key and value the documents that have it, so that a filter becomes
/// a set with a known size without a look at the documents.
///
/// It holds numbers and metadata, no documents: whoever removes one says what it had. Numbers should be small and given
/// again, since a set may keep a bit for each up to the highest.
package struct FilterIndex: Sendable {
    private var keys: [String: ValueIndex] = [:]
    private var documents = NumberSet()
    /// One more than the highest number so far.
    private var capacity = 0

    package init() {}

    /// Documents in the index.
    package var count: Int { documents.count }

    /// Enters a document that is not in the index. Costs the logarithm of the values of each of its keys.
    package mutating func insert(_ number: Int, _ entries: [String: MetadataValue]) {
        documents.insert(number)
        capacity = max(capacity, number + 1)
        for (key, value) in entries { keys[key, default: ValueIndex()].insert(number, for: value) }
    }

    /// Takes a document out that was entered with these entries.
    package mutating func remove(_ number: Int, _ entries: [String: MetadataValue]) {
        documents.remove(number)
        for (key, value) in entries {
            keys[key]?.remove(number, for: value)
            if keys[key]?.isEmpty ?? false { keys[key] = nil }
        }
    }

    /// The documents that pass. Costs a bit of each document for every condition, and a step for each value within a range.
    package func documents(passing filter: Filter) -> Bitmap {
        var found = Bitmap(capacity: capacity)
        switch filter {
        case .allOf(let filters):
            documents.formUnion(into: &found)
            for filter in filters { found.formIntersection(documents(passing: filter)) }
        case .anyOf(let filters):
            for filter in filters { found.formUnion(documents(passing: filter)) }
        case .noneOf(let filters):
            documents.formUnion(into: &found)
            for filter in filters { found.subtract(documents(passing: filter)) }
        case .equals(let key, let value):
            keys[key]?.formUnion(value, into: &found)
        case .among(let key, let values):
            for value in values { keys[key]?.formUnion(value, into: &found) }
        case .range(let key, let range):
            keys[key]?.formUnion(range, into: &found)
        case .exists(let key):
            keys[key]?.documents.formUnion(into: &found)
        }
        return found
    }
}
