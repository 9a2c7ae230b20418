internal import Audit
internal import Foundation
internal import Testing

@testable internal import HeartGuardCommand

@Suite struct `A file of anchors` {
    private func head(_ sequence: Int64) -> AuditHead {
        AuditHead(writer: UUID(), sequence: sequence, hash: [UInt8](repeating: UInt8(sequence), count: 32))
    }

    /// Lends a place for a file, in a folder of its own.
    private func withPlace(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // What is left is in the folder for such things.
        try body(folder.appending(path: "anchors").path)
    }

    private func write(_ text: String, to path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }

    @Test func `keeps what is appended, for its owner alone`() throws {
        try withPlace { path in
            let heads = [head(1), head(20), head(3)]

            try AnchorFile.append([heads[0]], to: path)
            try AnchorFile.append([], to: path)
            try AnchorFile.append([heads[1], heads[2]], to: path)

            #expect(try AnchorFile.read(path) == heads)
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test func `is read, and goes on, wherever a kill or a full disk has cut a line off`() throws {
        try withPlace { path in
            let (kept, cut, next) = (head(1), head(2), head(3))
            for count in 0..<cut.line.count {
                try write(kept.line + "\n" + cut.line.prefix(count), to: path)

                #expect(try AnchorFile.read(path) == [kept])
                try AnchorFile.append([next], to: path)

                #expect(try String(contentsOfFile: path, encoding: .utf8) == "\(kept.line)\n\(next.line)\n")
            }
        }
    }

    @Test func `loses no end whose line lacks its end alone`() throws {
        try withPlace { path in
            let (first, second) = (head(1), head(2))
            try write(first.line, to: path)

            #expect(try AnchorFile.read(path) == [first])
            try AnchorFile.append([second], to: path)

            #expect(try AnchorFile.read(path) == [first, second])
        }
    }

    @Test func `may have another system's ends of lines, and lines without anything`() throws {
        try withPlace { path in
            let (first, second) = (head(1), head(2))
            try write("\n\(first.line)\r\n\n\(second.line)\r\n", to: path)

            #expect(try AnchorFile.read(path) == [first, second])
        }
    }

    @Test(arguments: [("hello", 1), ("\n\nhello\n", 3), ("{\"a\": 1}", 1), ("12 34\n", 1), ("\u{FF}\u{0}", 1)])
    func `is no file of something else, of which nothing is changed`(text: String, line: Int) throws {
        try withPlace { path in
            try write(text, to: path)
            let refusal = CommandFailure("line \(line) of \(path) is no anchor.")

            #expect(throws: refusal) { try AnchorFile.read(path) }
            #expect(throws: refusal) { try AnchorFile.append([head(1)], to: path) }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
        }
    }

    @Test func `is no folder, no device, and in no folder that is not there`() throws {
        try withPlace { path in
            for place in [URL(filePath: path).deletingLastPathComponent().path, "/dev/full", "\(path)/nowhere"] {
                #expect(throws: CommandFailure.self) { try AnchorFile.append([head(1)], to: place) }
            }
            #expect(throws: CommandFailure("\(path) cannot be read.")) { try AnchorFile.read(path) }
        }
    }
}
