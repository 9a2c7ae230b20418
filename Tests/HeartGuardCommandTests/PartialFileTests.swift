internal import Foundation
internal import Testing

@testable import HeartGuardCommand

@Suite struct `A file that has its name once it is whole` {
    /// Lends a place for a file, in a folder of its own.
    private func withPlace(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // What is left is in the folder for such things.
        try body(folder.appending(path: "export.json"))
    }

    @Test func `takes the place of the one before`() throws {
        try withPlace { file in
            try Data("before".utf8).write(to: file)

            var partial = try PartialFile(file)
            try partial.write(Array("after".utf8))
            let meanwhile = try String(contentsOf: file, encoding: .utf8)
            try partial.finish()

            #expect(meanwhile == "before")
            #expect(try String(contentsOf: file, encoding: .utf8) == "after")
        }
    }

    @Test func `is written by one at a time`() throws {
        try withPlace { file in
            var first = try PartialFile(file)
            try first.write(Array("first".utf8))

            #expect(throws: CommandFailure("\(file.path).partial is being written by another command.")) { try PartialFile(file) }
            try first.finish()

            #expect(try String(contentsOf: file, encoding: .utf8) == "first")
            var second = try PartialFile(file)
            second.remove()
            second = try PartialFile(file)
            try second.write(Array("second".utf8))
            try second.finish()
            #expect(try String(contentsOf: file, encoding: .utf8) == "second")
        }
    }

    @Test func `never takes the place of a folder`() throws {
        try withPlace { file in
            try FileManager.default.createDirectory(at: file, withIntermediateDirectories: true)
            try Data("kept".utf8).write(to: file.appending(path: "other"))

            var partial = try PartialFile(file)
            try partial.write(Array("export".utf8))

            #expect(throws: CommandFailure.self) { try partial.finish() }
            #expect(try String(contentsOf: file.appending(path: "other"), encoding: .utf8) == "kept")
        }
    }

    @Test func `is nobody else's to read where it holds somebody's records`() throws {
        try withPlace { file in
            // As a kill has left one.
            let partialFile = file.appendingPathExtension("partial")
            try Data("others may read this".utf8).write(to: partialFile)

            var partial = try PartialFile(file, isPrivate: true)
            let atFirst = try FileManager.default.attributesOfItem(atPath: partialFile.path)[.posixPermissions] as? Int
            try partial.finish()

            #expect(atFirst == 0o600)
            #expect(try Data(contentsOf: file) == Data())
            let permissions = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
            #expect(permissions == 0o600)
        }
    }
}
