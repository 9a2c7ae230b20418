internal import Contracts
internal import Foundation

/// The texts of `Samples/medical` with their real embeddings, and the questions.
struct MedicalSample {
    struct Text: Decodable {
        let id: String
        let source: String
        let title: String
        let content: String
    }

    /// Under which the schema pins what this sample is for.
    static let model = "sentence-transformers/all-MiniLM-L6-v2"

    let documents: [VectorsV1.Document]
    let questions: [[Float]]

    /// The first `count` texts.
    init(first count: Int) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Samples/medical")
        let texts = try String(contentsOf: folder.appending(path: "documents.jsonl"), encoding: .utf8)
            .split(separator: "\n").prefix(count).map { try JSONDecoder().decode(Text.self, from: Data($0.utf8)) }
        let embeddings = try Self.vectors(Data(contentsOf: folder.appending(path: "documents.fvecs")), first: count)
        documents = zip(texts, embeddings).map { text, embedding in
            VectorsV1.Document(
                id: text.id, content: text.content, embedding: embedding,
                metadata: ["source": text.source, "title": text.title])
        }
        questions = try Self.vectors(Data(contentsOf: folder.appending(path: "questions.fvecs")), first: .max)
    }

    /// .fvecs: for each vector its dimension as a little-endian Int32, then so many little-endian Floats.
    private static func vectors(_ data: Data, first count: Int) -> [[Float]] {
        var vectors: [[Float]] = []
        var rest = [UInt8](data)[...]
        func word() -> UInt32 {
            let bytes = rest.prefix(4)
            rest = rest.dropFirst(4)
            return bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        while !rest.isEmpty, vectors.count < count {
            let dimension = Int(word())
            vectors.append((0..<dimension).map { _ in Float(bitPattern: word()) })
        }
        return vectors
    }
}
