internal import Application
internal import HNSW

/// A vector that the index of its space will take.
///
/// It is checked before it is kept, because the index is made from what is kept: a row that the index refused would be
/// a document that no search finds.
struct Embedding: Hashable, Sendable {
    let components: [Float]

    init(_ components: [Float], in space: EmbeddingSpace) throws(InvalidValue) {
        guard components.count == space.dimension else {
            throw InvalidValue(
                sentence: "It has \(components.count) components; the collection's embeddings have \(space.dimension).")
        }
        if let place = components.firstIndex(where: { !$0.isFinite }) {
            throw InvalidValue(sentence: "Component \(place) is not a finite number.")
        }
        let squaredLength = components.reduce(0.0) { $0 + Double($1) * Double($1) }
        switch space.metric {
        case .cosine:
            guard squaredLength > 0 else {
                throw InvalidValue(sentence: "It has length zero, which has no direction to compare.")
            }
        case .innerProduct, .euclidean:
            // The bound of HNSW: below it no comparison of two vectors overflows.
            guard squaredLength < Double(Float.greatestFiniteMagnitude) / 8 else {
                throw InvalidValue(sentence: "It is too long to be compared.")
            }
        }
        self.components = components
    }
}
