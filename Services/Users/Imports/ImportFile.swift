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

    /// Shows every entry behind a place, in their order.
    ///
    /// Throws `JSONSyntaxError` where the file is not what it should be, and `Gone`.
    func forEachEntry(
        behind place: EntryReader.Place, _ body: (EntryReader.Piece, BundleEntry) async throws -> Void
    ) async throws {
        var reader = EntryReader(job.format.form, behind: place)
        var byte = place.byte
        while byte < job.byteCount {
            guard let chunk = try await imports.chunk(at: byte, of: subject) else { throw Gone() }
            var rest = chunk.content[Int(byte - chunk.firstByte)...]
            while let piece = try reader.next(in: &rest) { try await body(piece, try BundleEntry(piece)) }
            byte = chunk.end
        }
        if let piece = try reader.finish() { try await body(piece, try BundleEntry(piece)) }
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
        try await forEachEntry(behind: .init()) { piece, entry in try outline.add(entry, piece) }
        return outline
    }
}
