internal import ArgumentParser
internal import Contracts
internal import Foundation
internal import RPC

struct RecordsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "records", abstract: "Takes a person's records in from a file, or out into one, as that person; or brings a person back from one.",
        subcommands: [ImportCommand.self, ExportCommand.self, RestoreCommand.self])

    struct ImportCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Takes in the records of a file of FHIR R4.",
            discussion: """
                A Bundle, or with .ndjson a resource a line. After a kill, of this command or of the cluster, the same command goes on. What is there \
                already is not taken in again. `heartguard records import` tells what became of each type, and where the first few stand that were skipped.
                """)

        @OptionGroup var person: PersonOptions

        @Argument(help: "The file.")
        var file: String

        @Option(help: "Where the file comes from, for example st-marys.")
        var source = "fhir"

        func run() async throws {
            let url = URL(filePath: file)
            try FileBytes.check(url)
            let format = UsersV1.ImportFormat(of: url)
            try await person.signedIn { client in
                let job: UsersV1.ImportJob
                do {
                    job = try await RecordsUpload(file: url, format: format, source: source, client: client).run()
                } catch let error as RPCError {
                    throw CommandFailure("the file was not taken in: \(error.message)")
                }
                guard job.state == .finished else { throw CommandFailure("the import was given up: \(job.failure)") }
                let progress = Progress()
                progress.title("\(Int(job.entryCount).shown) resources")
                for count in job.counts {
                    progress.step(
                        count.type,
                        "\(count.importedCount) imported, \(count.existingCount) there before, \(count.skippedCount) skipped, \(count.failedCount) failed")
                    for issue in count.issues {
                        let places = issue.entries.map(String.init).joined(separator: ", ")
                        progress.step("", "\(issue.count) × \(issue.reason), the first at \(places)")
                    }
                }
            }
        }
    }

    struct ExportCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export", abstract: "Writes everything that is kept of a person to a file.",
            discussion: "With .jsonl a line a row of each table, otherwise a Bundle of FHIR R4. The file is there once it is whole.")

        @OptionGroup var person: PersonOptions

        @Argument(help: "The file.")
        var file: String

        @Flag(help: "Replace a file that is there.")
        var force = false

        func run() async throws {
            let url = URL(filePath: file)
            guard force || !FileManager.default.fileExists(atPath: url.path) else {
                throw CommandFailure("\(url.path) is there already. --force replaces it.")
            }
            try await person.signedIn { client in
                do {
                    let export = try await RecordsDownload(
                        file: url, format: UsersV1.ExportFormat(of: url), client: client
                    ).run()
                    print("exported \(export.counts.values.reduce(0, +)) records, \(export.byteCount) bytes, with SHA-256 \(export.sha256)")
                } catch let error as RPCError {
                    throw CommandFailure("the records were not exported: \(error.message)")
                }
            }
        }
    }
}

extension UsersV1.ImportFormat {
    /// As a file's name says it.
    init(of file: URL) { self = file.pathExtension.lowercased() == "ndjson" ? .fhirR4Ndjson : .fhirR4Bundle }
}

extension UsersV1.ExportFormat {
    /// As a file's name says it.
    init(of file: URL) { self = file.pathExtension.lowercased() == "jsonl" ? .jsonLines : .fhirR4 }
}
