internal import Audit
internal import Foundation
internal import Glibc

/// A file of ends that the audit log's chains have had: a line an end, with its writer, its sequence and its hash. It only grows.
///
/// A kill or a full disk in the middle may leave the beginning of a line behind the others. Nobody was told that it is kept: it is
/// passed over, and taken away before more is appended.
enum AnchorFile {
    static func read(_ path: String) throws -> [AuditHead] {
        guard let data = FileManager.default.contents(atPath: path) else { throw CommandFailure("\(path) cannot be read.") }
        return try Content([UInt8](data), of: path).heads
    }

    /// On the disk when this returns, with the file's name. When it throws, what was in the file is in it.
    static func append(_ heads: [AuditHead], to path: String) throws {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CommandFailure("cannot write \(path)", errno: errno) }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw CommandFailure("cannot look at \(path)", errno: errno) }
        // S_IFMT and S_IFREG: a device or a pipe keeps nothing, and might never end.
        guard status.st_mode & 0o170000 == 0o100000 else { throw CommandFailure("\(path) is no regular file.") }
        // Of two that append, one does so behind the other.
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw CommandFailure("cannot lock \(path)", errno: errno) }
        }
        do {
            let content = try Content([UInt8](file.readToEnd() ?? Data()), of: path)
            if content.hasRest { try file.truncate(atOffset: UInt64(content.byteCount)) }
            do {
                try file.write(contentsOf: Data((content.isEnded ? "" : "\n").utf8) + Data(heads.map { $0.line + "\n" }.joined().utf8))
                try file.synchronize()
            } catch {
                // What cannot be taken away is passed over by readers, or is an end that a chain has had.
                try? file.truncate(atOffset: UInt64(content.byteCount))
                throw error
            }
            try file.close()
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure("cannot write \(path): \(error.localizedDescription)")
        }
        try PartialFile.synchronize(URL(filePath: path).absoluteURL.deletingLastPathComponent())
    }

    private struct Content {
        private(set) var heads: [AuditHead] = []
        /// Of whole lines.
        let byteCount: Int
        /// Whether the last of them has its line's end.
        let isEnded: Bool
        /// Whether there is more behind them.
        let hasRest: Bool

        /// Throws a sentence with the number of a line that is no anchor.
        init(_ bytes: [UInt8], of path: String) throws {
            var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let rest = lines.removeLast()
            for (index, line) in lines.enumerated() where !line.isEmpty {
                guard let head = Self.head(line) else { throw CommandFailure("line \(index + 1) of \(path) is no anchor.") }
                heads.append(head)
            }
            if let head = Self.head(rest) {
                heads.append(head)
                (byteCount, isEnded, hasRest) = (bytes.count, false, false)
            } else {
                // What could not become an anchor is of another file.
                guard rest.allSatisfy(Self.isOfAnAnchor) else { throw CommandFailure("line \(lines.count + 1) of \(path) is no anchor.") }
                (byteCount, isEnded, hasRest) = (bytes.count - rest.count, true, !rest.isEmpty)
            }
        }

        /// The line's end may be of two bytes, as other systems have it.
        private static func head(_ line: ArraySlice<UInt8>) -> AuditHead? {
            let text = String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
            return AuditHead(line: Substring(text))
        }

        private static func isOfAnAnchor(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
            case UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: " "): true
            default: false
            }
        }
    }
}
