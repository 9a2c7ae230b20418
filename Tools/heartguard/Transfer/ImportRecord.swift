internal import Crypto
internal import Foundation
internal import Time

/// How far an import has come: a file beside the one that is imported, so that it goes on from there when it, or the service,
/// was killed. What was sent and is not on record is sent again, which changes nothing.
struct ImportRecord: Codable, Equatable, Sendable {
    /// A file as it was when the import began.
    struct Source: Codable, Equatable, Sendable {
        let bytes: UInt64
        let sha256: String

        init(_ file: URL) throws {
            bytes = try file.byteCount()
            let content = try FileBytes(file)
            var hash = SHA256()
            while case let piece = try content.read(FileBytes.pieceBytes), !piece.isEmpty { hash.update(data: piece) }
            sha256 = hash.finalize().hexadecimal
        }
    }

    let vectors: Source
    let sideCar: Source?
    let format: String
    let idPrefix: String
    /// The id, since another collection may get the name.
    let collection: String
    /// Everything before it is in.
    var place = SourcePlace()

    init(of files: DocumentSource.Files, into collection: String) throws {
        vectors = try Source(files.vectors)
        sideCar = try files.sideCar.map { try Source($0) }
        format = files.format.rawValue
        idPrefix = files.idPrefix
        self.collection = collection
    }

    static func file(of vectors: URL) -> URL { vectors.appendingPathExtension("import") }

    /// What is on record of an import of this, or this as one that begins.
    ///
    /// - Throws: a `CommandFailure` if the record is of another file, or of the same into something else.
    func continued(from file: URL) throws -> ImportRecord {
        guard FileManager.default.fileExists(atPath: file.path) else { return self }
        guard let data = FileManager.default.contents(atPath: file.path),
            // One that cannot be read is no record of this import, which is what is said.
            let known = try? JSONDecoder().decode(ImportRecord.self, from: data)
        else { throw CommandFailure("\(file.path) is no record of an import. Remove it, or say --restart.") }
        var begun = known
        begun.place = place
        guard begun == self else {
            throw CommandFailure(
                """
                \(file.path) is the record of an import that came to document \(known.place.row), of this file as it was before, of another \
                file beside it, or into another collection. --restart begins anew; what is in already is replaced.
                """)
        }
        return known
    }

    /// At once: a reader finds the old record or the new.
    func write(to file: URL) throws {
        do {
            try JSONEncoder().encode(self).write(to: file, options: .atomic)
        } catch {
            throw CommandFailure("\(file.path), the record of this import, cannot be written: \(error.localizedDescription)")
        }
    }
}
