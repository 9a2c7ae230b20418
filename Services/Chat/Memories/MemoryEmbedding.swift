internal import Application
internal import HNSW

/// The embedding of a memory's content, or of what is looked for, by the model that all of them are of. It tells of what it was made from, so it is
/// in no log.
struct MemoryEmbedding: Hashable, Sendable {
    static let byteCount = 4 * MemoryModel.dimension

    let components: [Float]

    init(_ components: [Float]) throws(InvalidValue) {
        do throws(HNSWError) {
            try ExactCosine.check(components, dimension: MemoryModel.dimension)
        } catch {
            let sentence =
                switch error.code {
                case .wrongDimension: "It has \(components.count) components; the embeddings of memories have \(MemoryModel.dimension)."
                case .zeroLength: "It has length zero, which has no direction to compare."
                default: "Component \(components.firstIndex { !$0.isFinite } ?? 0) is not a finite number."
                }
            throw InvalidValue(sentence: sentence)
        }
        self.components = components
    }

    /// As a row keeps it.
    var bytes: [UInt8] { ExactCosine.bytes(of: components) }
}

extension FieldViolations {
    /// The embedding that a request has by this model; `nil` if it has none, or one that breaks a rule.
    mutating func memoryEmbedding(_ components: [Float], by model: String) -> MemoryEmbedding? {
        if components.isEmpty, model.isEmpty { return nil }
        guard model == MemoryModel.id else {
            // Another model's is not looked at.
            add(
                "model_id",
                model.isEmpty
                    ? "It must name the model of the embedding."
                    : "The embeddings here are made by the model \(MemoryModel.id), and the request's by another.")
            return nil
        }
        return value("embedding", components, MemoryEmbedding.init(_:))
    }
}
