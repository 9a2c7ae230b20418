internal import Audit
internal import Foundation

/// A file of ends that the audit log's chains have had: a line an end, with its writer, its sequence and its hash. It only grows.
enum AnchorFile {
    static func read(_ path: String) throws -> [AuditHead] {
        guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8) else {
            throw CommandFailure("\(path) cannot be read.")
        }
        return try text.split(separator: "\n").enumerated().map { index, line in
            guard let head = AuditHead(line: line) else { throw CommandFailure("line \(index + 1) of \(path) is no anchor.") }
            return head
        }
    }

    /// On the disk when this returns.
    static func append(_ heads: [AuditHead], to path: String) throws {
        if !FileManager.default.fileExists(atPath: path) {
            guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
                throw CommandFailure("cannot write \(path).")
            }
        }
        do {
            let file = try FileHandle(forWritingTo: URL(filePath: path))
            try file.seekToEnd()
            try file.write(contentsOf: Data(heads.map { $0.line + "\n" }.joined().utf8))
            try file.synchronize()
            try file.close()
        } catch {
            throw CommandFailure("cannot write \(path): \(error.localizedDescription)")
        }
    }
}
