import Foundation
import HNSW

/// The texts' embeddings in `Samples/medical`, the questions' embeddings, and the exact answers.
struct MedicalSample {
    let documents: [[Float]]
    let questions: [[Float]]
    /// For each question the hundred nearest documents by cosine, best first.
    let nearest: [[Int]]

    init() throws {
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = repository.appending(path: "Samples/medical")
        func words(_ name: String) throws -> [[UInt32]] {
            try MedicalSample.vectors(in: Data(contentsOf: folder.appending(path: name)))
        }
        documents = try words("documents.fvecs").map { $0.map { Float(bitPattern: $0) } }
        questions = try words("questions.fvecs").map { $0.map { Float(bitPattern: $0) } }
        nearest = try words("questions.nearest100.ivecs").map { $0.map { Int($0) } }
    }

    /// The .fvecs and .ivecs formats: a count, then that many words, little-endian, over and over.
    private static func vectors(in file: Data) -> [[UInt32]] {
        let words = unsafe file.withUnsafeBytes { unsafe Array($0.bindMemory(to: UInt32.self)) }
        var vectors: [[UInt32]] = []
        var position = 0
        while position < words.count {
            let count = Int(UInt32(littleEndian: words[position]))
            vectors.append(Array(words[(position + 1)...(position + count)]))
            position += count + 1
        }
        return vectors
    }
}
