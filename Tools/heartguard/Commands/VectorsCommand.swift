internal import ArgumentParser
internal import Contracts
internal import Foundation

struct VectorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vectors", abstract: "Moves documents with their embeddings between files and collections.",
        discussion: """
            .jsonl has a JSON object a line: id, embedding, content, metadata (of texts, numbers, booleans, and times as \
            {"time": "2026-02-21T08:30:00Z"}). .fvecs and .npy (two dimensions, '<f4', C's order) have the embeddings alone; ids, contents and \
            metadata stand in the same order in a file of JSON Lines beside them.
            """,
        subcommands: [ImportCommand.self, ExportCommand.self])

    struct ImportCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Puts the documents of a file into a collection.",
            discussion: """
                FILE.import says how far it has come until all is in: after a kill, of this command or of the service, the same command goes on from \
                there. A document whose id is there already replaces it.
                """)

        @OptionGroup var options: StateOptions

        @Argument(help: "The file.")
        var file: String

        @Option(help: "The collection's name, or an alias.")
        var collection: String

        @Option(help: "fvecs, npy or jsonl. Default: what the file's name ends with.")
        var format: VectorFormat?

        @Option(help: "With fvecs and npy: the file with ids, contents and metadata. Without it ids are made.")
        var documents: String?

        @Option(help: "What made ids begin with, before the row's number from 0. Default: the file's name and a dash.")
        var idPrefix: String?

        @Flag(help: "Check the whole file, by the service too, and put nothing in.")
        var dryRun = false

        @Flag(help: "Begin anew, whatever an earlier import came to.")
        var restart = false

        func run() async throws {
            let url = URL(filePath: file)
            let format = try VectorFormat.chosen(format, for: url)
            guard documents == nil || format.needsSideCar else { throw CommandFailure("a .jsonl file has everything; --documents is for others.") }
            let files = DocumentSource.Files(
                vectors: url, format: format, sideCar: documents.map { URL(filePath: $0) },
                idPrefix: idPrefix ?? "\(url.deletingPathExtension().lastPathComponent)-")
            for file in [files.vectors, files.sideCar].compactMap(\.self) { try FileBytes.check(file) }
            let vectors = try VectorsOperator(options.directory)
            let result: Result<Void, any Error>
            do { result = .success(try await put(files, through: vectors)) } catch { result = .failure(error) }
            await vectors.close()
            try result.get()
        }

        private func put(_ files: DocumentSource.Files, through vectors: VectorsOperator) async throws {
            let collection = try await vectors.collection(collection)
            let recordFile = ImportRecord.file(of: files.vectors)
            var record = try ImportRecord(of: files, into: collection.id)
            if !dryRun, !restart { record = try record.continued(from: recordFile) }
            if record.place.row > 0 { print("going on behind document \(record.place.row)") }
            let importer = try Importer(
                files, into: collection, through: vectors, record: record, in: dryRun ? nil : recordFile)
            let outcome = try await importer.run()
            if dryRun {
                print("all \(outcome.documents) documents are in order; none was put in")
                return
            }
            try FileManager.default.removeItem(at: recordFile)
            print(
                "imported \(outcome.documents) documents into \(collection.name): \(outcome.inserted) new, \(outcome.replaced) replaced; its position is \(outcome.position)")
        }
    }

    struct ExportCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export", abstract: "Writes a collection's documents to a file.")

        @OptionGroup var options: StateOptions

        @Argument(help: "The file.")
        var file: String

        @Option(help: "The collection's name, or an alias.")
        var collection: String

        @Option(help: "fvecs, npy or jsonl. Default: what the file's name ends with.")
        var format: VectorFormat?

        @Option(help: "With fvecs and npy: the file for ids, contents and metadata. Default: FILE with .jsonl for its end.")
        var documents: String?

        @Flag(help: "With jsonl: leave the embeddings out, to make them anew with another model.")
        var withoutEmbeddings = false

        @Flag(help: "Replace files that are there.")
        var force = false

        func run() async throws {
            let url = URL(filePath: file)
            let format = try VectorFormat.chosen(format, for: url)
            guard !withoutEmbeddings || !format.needsSideCar else {
                throw CommandFailure("\(url.lastPathComponent) would have nothing: --without-embeddings is for .jsonl.")
            }
            guard documents == nil || format.needsSideCar else { throw CommandFailure("a .jsonl file has everything; --documents is for others.") }
            let sideCar = format.needsSideCar
                ? documents.map { URL(filePath: $0) } ?? url.deletingPathExtension().appendingPathExtension("jsonl") : nil
            // Both would be written into one.
            guard sideCar?.absoluteURL.standardizedFileURL.path != url.absoluteURL.standardizedFileURL.path else {
                throw CommandFailure("\(url.lastPathComponent) cannot have both the embeddings and the documents: --documents names another file.")
            }
            for file in [url, sideCar].compactMap(\.self) where !force && FileManager.default.fileExists(atPath: file.path) {
                throw CommandFailure("\(file.path) is there already. --force replaces it.")
            }
            let vectors = try VectorsOperator(options.directory)
            let result: Result<Void, any Error>
            do {
                let collection = try await vectors.collection(collection)
                let outcome = try await Exporter(collection, to: url, as: format, besides: sideCar, hasEmbeddings: !withoutEmbeddings, through: vectors).run()
                print("exported \(outcome.documents) documents of \(collection.name), with every change up to position \(outcome.position)")
                result = .success(())
            } catch {
                result = .failure(error)
            }
            await vectors.close()
            try result.get()
        }
    }
}

extension VectorFormat {
    fileprivate static func chosen(_ format: VectorFormat?, for file: URL) throws -> VectorFormat {
        if let format = format ?? VectorFormat(of: file) { return format }
        throw CommandFailure("\(file.lastPathComponent) does not say what it is: --format fvecs, npy or jsonl does.")
    }
}
