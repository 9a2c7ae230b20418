internal import Contracts
internal import Foundation
internal import RPC
internal import Synchronization

/// Writes a collection's documents to a file: under another name until all are there.
final class Exporter: Sendable {
    private struct State {
        var vectors: PartialFile
        var sideCar: PartialFile?
        var rows = 0
        var lastID = ""
        var position: Int64?
    }

    private let collection: VectorsV1.Collection
    private let format: VectorFormat
    private let hasEmbeddings: Bool
    private let vectors: VectorsOperator
    private let state: Mutex<State>
    private let progress = TransferProgress("exported", part: 0)

    init(
        _ collection: VectorsV1.Collection, to file: URL, as format: VectorFormat, besides sideCar: URL?,
        hasEmbeddings: Bool = true, through vectors: VectorsOperator
    ) throws {
        self.collection = collection
        self.format = format
        self.hasEmbeddings = hasEmbeddings
        self.vectors = vectors
        let partial = try PartialFile(file)
        let other: PartialFile?
        do {
            other = try sideCar.map { try PartialFile($0) }
        } catch {
            partial.remove()
            throw error
        }
        state = Mutex(State(vectors: partial, sideCar: other))
    }

    struct Outcome: Sendable {
        let documents: Int
        /// Every change up to it is in the file.
        let position: Int64
    }

    func run() async throws -> Outcome {
        do {
            if format == .npy { try state.withLock { try $0.vectors.write(header(rows: 0)) } }
            try await vectors.patiently(progress: { progress.documents }) { try await stream() }
            return try state.withLock { state in
                if format == .npy { try state.vectors.replaceStart(by: header(rows: state.rows)) }
                try state.sideCar?.finish()
                try state.vectors.finish()
                return Outcome(documents: state.rows, position: state.position ?? 0)
            }
        } catch {
            state.withLock { state in
                state.vectors.remove()
                state.sideCar?.remove()
            }
            guard let error = error as? RPCError else { throw error }
            throw CommandFailure("the Vectors service ended the export: \(error.message)")
        }
    }

    private func header(rows: Int) -> [UInt8] { NumPyHeader(rows: rows, dimension: Int(collection.dimension)).bytes }

    private func stream() async throws {
        let options = try await vectors.options()
        let last = state.withLock { $0.lastID }
        try await VectorsV1.TransferServiceClient(vectors.channel).exportDocuments(
            .init(collection: collection.name, afterId: last, withoutEmbeddings: !hasEmbeddings), options: options
        ) { answers in
            for try await answer in answers { try self.take(answer) }
        }
    }

    private func take(_ answer: VectorsV1.ExportDocumentsResponse) throws {
        let rows = try state.withLock { state in
            if let collection = answer.collection, state.position == nil { state.position = collection.position }
            for document in answer.documents {
                switch format {
                case .jsonl: try state.vectors.write(DocumentLine(document, hasEmbedding: hasEmbeddings).encoded())
                case .fvecs:
                    let dimension = UInt32(document.embedding.count)
                    try state.vectors.write((0..<4).map { UInt8(truncatingIfNeeded: dimension >> (8 * $0)) })
                    try state.vectors.write(document.embedding.littleEndianBytes)
                case .npy: try state.vectors.write(document.embedding.littleEndianBytes)
                }
                try state.sideCar?.write(DocumentLine(document, hasEmbedding: false).encoded())
                state.rows += 1
                state.lastID = document.id
            }
            return state.rows
        }
        progress.advance(
            by: answer.documents.count, part: min(1, Double(rows) / Double(max(1, collection.documentCount))))
    }
}
