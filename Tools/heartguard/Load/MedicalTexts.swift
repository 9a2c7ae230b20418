internal import Foundation

/// The medical texts with the embeddings that all-MiniLM-L6-v2 gave them, and questions with theirs.
struct MedicalTexts: Sendable {
    struct Document: Sendable {
        let id: String
        let source: String
        let title: String
        let content: String
        let embedding: [Float]
    }

    struct Question: Sendable {
        let text: String
        let embedding: [Float]
    }

    static let collection = "medical_knowledge"
    static let model = "sentence-transformers/all-MiniLM-L6-v2"
    static let dimension = 384

    let documents: [Document]
    let questions: [Question]

    static func read(_ folder: String) throws -> MedicalTexts {
        struct DocumentLine: Decodable { let id, source, title, content: String }
        struct QuestionLine: Decodable { let id, text: String }
        let folder = URL(filePath: folder)
        let documents: [(DocumentLine, [Float])] = try pairs(folder, "documents")
        let questions: [(QuestionLine, [Float])] = try pairs(folder, "questions")
        return MedicalTexts(
            documents: documents.map { line, embedding in
                Document(id: line.id, source: line.source, title: line.title, content: line.content, embedding: embedding)
            },
            questions: questions.map { Question(text: $0.text, embedding: $1) })
    }

    private static func pairs<Line: Decodable>(_ folder: URL, _ name: String) throws -> [(Line, [Float])] {
        let file = folder.appending(path: "\(name).jsonl")
        let decoder = JSONDecoder()
        let lines = try SampleFile.lines(of: file).map { line in
            do {
                return try decoder.decode(Line.self, from: Data(line.utf8))
            } catch {
                throw CommandFailure("a line of \(file.path) cannot be read: \(line.prefix(60))…")
            }
        }
        let vectors = try SampleFile.vectors(in: folder.appending(path: "\(name).fvecs"))
        guard lines.count == vectors.count, vectors.allSatisfy({ $0.count == dimension }) else {
            throw CommandFailure("\(folder.path) has \(lines.count) \(name) and \(vectors.count) vectors; there must be one of \(dimension) numbers for each.")
        }
        return Array(zip(lines, vectors))
    }
}
