internal import ArgumentParser
internal import Contracts
internal import Foundation
internal import Testing

@testable import HeartGuardCommand

/// Lends files of these contents.
private func withFiles(_ contents: [Data], _ body: ([URL]) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }  // What is left is in the folder for such things.
    let files = contents.indices.map { folder.appending(path: "\($0)") }
    for (file, content) in zip(files, contents) { try content.write(to: file) }
    try body(files)
}

@Suite struct `The header of a .npy file` {
    @Test func `is read as NumPy writes it`() throws {
        let header = try NumPyHeader(describedBy: "{'descr': '<f4', 'fortran_order': False, 'shape': (100, 384), }    \n")

        #expect(header == NumPyHeader(rows: 100, dimension: 384))
        #expect(try NumPyHeader(describedBy: "{'shape':(0,2),'fortran_order':False,'descr':'<f4'}").rows == 0)
    }

    @Test(arguments: [
        "{}", "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2)}", "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (12,)}", "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 0)}", "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 2)}",
        "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1, 2)}",
    ]) func `of anything else is refused`(text: String) {
        #expect(throws: CommandFailure.self) { try NumPyHeader(describedBy: text) }
    }

    @Test(arguments: [0, 1, 999_999_999_999]) func `is written so that it is read again, at a length that does not depend on the rows`(rows: Int) throws {
        let header = NumPyHeader(rows: rows, dimension: 4_096)

        #expect(header.bytes.count == NumPyHeader.byteCount && header.bytes.last == UInt8(ascii: "\n"))
        try withFiles([Data(header.bytes)]) { files in
            let read = try NumPyHeader(FileBytes(files[0]))
            #expect(read == header)
        }
    }
}

@Suite struct `A file of documents` {
    private func line(_ number: Int) -> String { #"{"id":"\#(number)","embedding":[\#(number),1]}"# + "\n" }

    @Test func `is read from any place as from its beginning`() throws {
        let text = "\n" + (0..<50).map(line).joined(separator: "\r\n \n")
        try withFiles([Data(text.utf8)]) { files in
            let described = DocumentSource.Files(vectors: files[0], format: .jsonl, sideCar: nil, idPrefix: "")
            var source = try DocumentSource(described, dimension: 2)
            var places = [source.place]
            var ids: [String] = []
            while let document = try source.next() {
                ids.append(document.id)
                places.append(source.place)
            }
            #expect(ids == (0..<50).map(String.init))

            for (row, place) in places.enumerated() {
                var rest = try DocumentSource(described, dimension: 2, from: place)
                #expect(place.row == row)
                #expect(try rest.next()?.id == (row < 50 ? "\(row)" : nil))
            }
        }
    }

    @Test func `names the line that is wrong, from any place`() throws {
        let text = line(0) + "\n" + line(1) + "\n\n" + #"{"id":"2","embedding":[1,"x"]}"#
        try withFiles([Data(text.utf8)]) { files in
            let described = DocumentSource.Files(vectors: files[0], format: .jsonl, sideCar: nil, idPrefix: "")
            var source = try DocumentSource(described, dimension: 2)
            _ = try (source.next(), source.next())
            var rest = try DocumentSource(described, dimension: 2, from: source.place)

            let said = CommandFailure("line 6: the field embedding[1] is of another type than it must be.")
            #expect(throws: said) { try source.next() }
            #expect(throws: said) { try rest.next() }
        }
    }

    @Test func `is read in pieces, whatever stands at their ends`() throws {
        // Lines of which none ends with a piece of the file.
        let texts = (0..<12).map { number in #"{"id":"\#(number)","content":"\#(String(repeating: "é", count: 90_001))","embedding":[1,2]}"# }
        try withFiles([Data(texts.joined(separator: "\n").utf8)]) { files in
            var source = try DocumentSource(
                .init(vectors: files[0], format: .jsonl, sideCar: nil, idPrefix: ""), dimension: 2)
            for number in 0..<12 {
                let document = try #require(try source.next())
                #expect(document.id == "\(number)" && document.content.utf8.count == 180_002)
            }
            #expect(try source.next() == nil)
        }
    }

    @Test func `gives each Float back, bit by bit`() throws {
        let components: [Float] = [-0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .pi, -1e-20]
        let bytes = components.littleEndianBytes
        #expect(bytes.floats.map(\.bitPattern) == components.map(\.bitPattern))
        let line = DocumentLine(VectorsV1.Document(id: "a", embedding: components), hasEmbedding: true)
        #expect(try DocumentLine(Array(line.encoded().dropLast())).embedding?.map(\.bitPattern) == components.map(\.bitPattern))
    }
}

@Suite struct `The record of an import` {
    @Test func `goes on with the same files into the same collection alone`() throws {
        try withFiles([Data("vectors".utf8), Data("documents".utf8), Data()]) { files in
            func record(_ sideCar: URL? = nil, into collection: String = "a", prefix: String = "x-") throws -> ImportRecord {
                try ImportRecord(
                    of: .init(vectors: files[0], format: .fvecs, sideCar: sideCar, idPrefix: prefix), into: collection)
            }
            let file = files[2].appendingPathExtension("import")
            var begun = try record(files[1])
            #expect(try begun.continued(from: file) == begun)
            begun.place = SourcePlace(row: 7, offset: 28, sideOffset: 9, line: 7)
            try begun.write(to: file)

            #expect(try record(files[1]).continued(from: file) == begun)
            #expect(throws: CommandFailure.self) { try record(files[1], into: "b").continued(from: file) }
            #expect(throws: CommandFailure.self) { try record(files[1], prefix: "y-").continued(from: file) }
            #expect(throws: CommandFailure.self) { try record().continued(from: file) }
            // Of the same length.
            try Data("vectorS".utf8).write(to: files[0])
            #expect(throws: CommandFailure.self) { try record(files[1]).continued(from: file) }
            try Data("{}".utf8).write(to: file)
            #expect(throws: CommandFailure.self) { try record(files[1]).continued(from: file) }
        }
    }
}

@Suite struct `The name of a file` {
    @Test func `says what is in it, however its end is written`() {
        #expect(UsersV1.ImportFormat(of: URL(filePath: "a.NDJSON")) == .fhirR4Ndjson)
        #expect(UsersV1.ImportFormat(of: URL(filePath: "a.json")) == .fhirR4Bundle)
        #expect(UsersV1.ExportFormat(of: URL(filePath: "a.JsonL")) == .jsonLines)
        #expect(UsersV1.ExportFormat(of: URL(filePath: "a")) == .fhirR4)
    }

    @Test(arguments: [["copy.jsonl", "--format", "fvecs"], ["copy.npy", "--documents", "./copy.npy"]])
    func `is not that of two files of an export`(arguments: [String]) async throws {
        let command = try VectorsCommand.ExportCommand.parse(arguments + ["--collection", "a", "--state-dir", "/nonexistent/heartguard"])

        await #expect(throws: CommandFailure("\(arguments[0]) cannot have both the embeddings and the documents: --documents names another file.")) {
            try await command.run()
        }
    }

    @Test func `is that of one that can be read, before anybody is asked for anything`() async throws {
        func failure(_ command: some AsyncParsableCommand) async -> String {
            var command = command
            do { try await command.run() } catch { return "\(error)" }
            return ""
        }
        let state = ["--state-dir", "/nonexistent/heartguard"]
        let records = try RecordsCommand.ImportCommand.parse(["nofile.json", "--email", "ada@example.org"] + state)
        let vectors = try VectorsCommand.ImportCommand.parse(["nofile.jsonl", "--collection", "a"] + state)

        #expect(await failure(records).contains("nofile.json cannot be read"))
        #expect(await failure(vectors).contains("nofile.jsonl cannot be read"))
    }

    @Test func `is not that of a folder where one is read`() throws {
        let folder = FileManager.default.temporaryDirectory
        #expect(throws: CommandFailure.self) { try FileBytes(folder).read(1) }
    }
}

@Suite struct `What a transfer says of itself` {
    @Test func `is how much is done, how fast, and how long the rest takes`() {
        #expect(
            TransferProgress.line("imported", 12_000, in: .seconds(3), from: 0.1, to: 0.4)
                == "imported 12,000 documents, 4,000 a second, 40 %, about 6 s to go")
        #expect(TransferProgress.line("exported", 5, in: .seconds(1), from: 0, to: 0) == "exported 5 documents, 5 a second")
    }
}
