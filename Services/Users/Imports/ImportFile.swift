internal import Crypto
internal import FHIR
internal import FoundationEssentials
internal import JSON

/// The file of an import, read from the database a chunk at a time.
struct ImportFile: Sendable {
    private let job: Import
    private let subject: ImportSubject
    private let imports: ImportRepository

    init(_ job: Import, _ subject: ImportSubject, _ imports: ImportRepository) {
        self.job = job
        self.subject = subject
        self.imports = imports
    }

    /// Its chunks are not there: the import was deleted, or another run has finished it.
    struct Gone: Error {}

    /// Shows every entry behind a place, in their order. Of which type the Bundle is, if it was read as a whole.
    ///
    /// Throws `JSONSyntaxError` where the file is not what it should be, and `Gone`.
    @discardableResult
    func forEachEntry(
        behind place: EntryReader.Place, _ body: (EntryReader.Piece, BundleEntry) async throws -> Void
    ) async throws -> String? {
        var reader = EntryReader(job.format.form, behind: place)
        var byte = place.byte
        while byte < job.byteCount {
            guard let chunk = try await imports.chunk(at: byte, of: subject) else { throw Gone() }
            var rest = chunk.content[Int(byte - chunk.firstByte)...]
            while let piece = try reader.next(in: &rest) { try await body(piece, try BundleEntry(piece)) }
            byte = chunk.end
        }
        if let piece = try reader.finish() { try await body(piece, try BundleEntry(piece)) }
        return reader.bundleType
    }

    /// What has to be known of the whole file before anything of it is taken in.
    ///
    /// Throws `JSONSyntaxError` if it is not what its sender said, or not what it should be, and `Gone`.
    func outline() async throws -> ImportOutline {
        var digest = SHA256()
        var byte: Int64 = 0
        while byte < job.byteCount {
            guard let chunk = try await imports.chunk(at: byte, of: subject) else { throw Gone() }
            digest.update(data: chunk.content)
            byte = chunk.end
        }
        guard Array(digest.finalize()) == job.sha256 else {
            throw JSONSyntaxError("The bytes that came are not those of the digest", at: nil)
        }
        var outline = ImportOutline()
        let type = try await forEachEntry(behind: .init()) { piece, entry in try outline.add(entry, piece) }
        guard type == "history" else { return outline }
        var history = ImportHistory()
        try await forEachEntry(behind: .init()) { piece, entry in try history.add(entry, piece, from: job.source) }
        // What is referred to is the newest version.
        outline = ImportOutline(history: history)
        try await forEachEntry(behind: .init()) { piece, entry in
            let known = history.resource(entry, UUID(identifying: entry, piece.content, from: job.source))
            if known?.newest == piece.number { try outline.add(entry, piece) }
        }
        return outline
    }
}
