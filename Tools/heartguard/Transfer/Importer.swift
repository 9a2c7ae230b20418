internal import Contracts
internal import Foundation
internal import RPC
internal import Synchronization

/// Sends a file's documents into a collection, from where the record says that it had come to.
final class Importer: Sendable {
    /// What is on its way: documents of one message.
    private struct Batch {
        var documents: [VectorsV1.Document] = []
        /// What each is called when something is wrong with it.
        var names: [String] = []
        var ids: Set<String> = []
        var byteCount = 0
        var end = SourcePlace()

        static let maxDocuments = 500
        /// A message stays well below what a server reads.
        static let maxBytes = 1 << 20

        func takes(_ document: VectorsV1.Document) -> Bool {
            // An id that comes again replaces, as it does from one message to the next.
            documents.count < Self.maxDocuments && byteCount < Self.maxBytes && !ids.contains(document.id)
        }

        mutating func append(_ document: VectorsV1.Document, _ name: String, end: SourcePlace) {
            byteCount += 4 * document.embedding.count + document.content.utf8.count
            ids.insert(document.id)
            documents.append(document)
            names.append(name)
            self.end = end
        }
    }

    private struct State {
        var record: ImportRecord
        /// When the record was written; it is as soon as something is in.
        var written: ContinuousClock.Instant?
        /// Names and ends of what was sent and is not answered.
        var sent: [(names: [String], end: SourcePlace)] = []
        var inserted: Int64 = 0
        var replaced: Int64 = 0
        var position: Int64 = 0
        /// Why the file was read no further.
        var fault: CommandFailure?
    }

    let files: DocumentSource.Files
    let collection: VectorsV1.Collection
    /// `nil` for a trial, of which nothing is kept.
    let recordFile: URL?
    private let vectors: VectorsOperator
    private let state: Mutex<State>
    private let progress: TransferProgress
    private let byteCount: UInt64

    static let recordInterval = Duration.milliseconds(500)

    init(
        _ files: DocumentSource.Files, into collection: VectorsV1.Collection, through vectors: VectorsOperator,
        record: ImportRecord, in recordFile: URL?
    ) throws {
        self.files = files
        self.collection = collection
        self.vectors = vectors
        self.recordFile = recordFile
        byteCount = max(1, try files.vectors.byteCount())
        state = Mutex(State(record: record))
        progress = TransferProgress(
            recordFile == nil ? "checked" : "imported", part: Double(record.place.offset) / Double(byteCount))
    }

    struct Outcome: Sendable {
        let documents: Int
        let inserted: Int64
        let replaced: Int64
        let position: Int64
    }

    /// Returns once every document is in. Throws a `CommandFailure` that names the row or line and the field; everything before
    /// that document's message is in.
    func run() async throws -> Outcome {
        let result: Result<Void, any Error>
        do {
            result = .success(try await vectors.patiently(progress: { progress.documents }) { try await stream() })
        } catch {
            result = .failure(error)
        }
        try keepRecord()
        switch result {
        case .success: break
        case .failure(let error as RPCError): throw failure(error)
        case .failure(let error): throw error
        }
        return state.withLock { state in
            Outcome(documents: progress.documents, inserted: state.inserted, replaced: state.replaced, position: state.position)
        }
    }

    private func stream() async throws {
        let options = try await vectors.options()
        let start = state.withLock { state in
            state.sent = []
            return state.record.place
        }
        try await VectorsV1.TransferServiceClient(vectors.channel).importDocuments(options: options) { requests, answers in
            try await withThrowingTaskGroup { group in
                group.addTask { try await self.send(from: start, to: requests) }
                var last = VectorsV1.ImportDocumentsResponse()
                for try await answer in answers {
                    try self.acknowledge(answer, behind: last)
                    last = answer
                }
                try await group.waitForAll()
            }
        }
        if let fault = state.withLock({ $0.fault }) { throw fault }
    }

    /// Sends until the file ends, or as far as it can be read. It waits while the service has enough to do.
    private func send(from start: SourcePlace, to requests: RequestWriter<VectorsV1.ImportDocumentsRequest>) async throws {
        do {
            var source = try DocumentSource(files, dimension: Int(collection.dimension), from: start)
            var batch = Batch()
            while true {
                guard let document = try source.next() else { break }
                if !batch.takes(document) {
                    try await send(batch, to: requests)
                    batch = Batch()
                }
                batch.append(document, files.name(endingAt: source.place), end: source.place)
            }
            if !batch.documents.isEmpty { try await send(batch, to: requests) }
        } catch let failure as CommandFailure {
            // What was read before it is waited for.
            state.withLock { $0.fault = failure }
        } catch is RPCError {
            // The call has ended; whoever reads its answers learns why.
            return
        }
        requests.finish()
    }

    private func send(_ batch: Batch, to requests: RequestWriter<VectorsV1.ImportDocumentsRequest>) async throws {
        state.withLock { $0.sent.append((batch.names, batch.end)) }
        try await requests.write(
            .init(
                collection: collection.name, modelId: collection.modelId, documents: batch.documents,
                validateOnly: recordFile == nil))
    }

    private func acknowledge(
        _ answer: VectorsV1.ImportDocumentsResponse, behind last: VectorsV1.ImportDocumentsResponse
    ) throws {
        let (place, isDue) = state.withLock { state in
            if !state.sent.isEmpty { state.record.place = state.sent.removeFirst().end }
            state.inserted += answer.insertedCount - last.insertedCount
            state.replaced += answer.replacedCount - last.replacedCount
            state.position = answer.position
            let isDue = state.written.map { ContinuousClock.now - $0 >= Self.recordInterval } ?? true
            return (state.record.place, isDue)
        }
        progress.advance(
            by: Int(answer.acceptedCount - last.acceptedCount), part: Double(place.offset) / Double(byteCount))
        if isDue { try keepRecord() }
    }

    private func keepRecord() throws {
        guard let recordFile else { return }
        let record = state.withLock { state in
            state.written = .now
            return state.record
        }
        try record.write(to: recordFile)
    }

    /// An answer's fields, `documents[3].embedding`, are those of the first message without an answer.
    private func failure(_ error: RPCError) -> CommandFailure {
        let names = state.withLock { $0.sent.first?.names ?? [] }
        let violations = (error.detail(GoogleRPC.BadRequest.self)?.fieldViolations ?? []).prefix(5).map { violation in
            guard let match = violation.field.wholeMatch(of: /documents\[(\d+)\]\.(.+)/), let place = Int(match.1), place < names.count
            else { return "\(violation.field): \(violation.description_p)" }
            return "\(names[place]), \(match.2): \(violation.description_p)"
        }
        guard violations.isEmpty else { return CommandFailure(violations.joined(separator: "\n")) }
        return CommandFailure("the Vectors service ended the import: \(error.message)")
    }
}
