internal import Foundation

/// Keeps a process's log within a bound. The process holds the file open for appending, so the file is copied and
/// emptied in place; a line written in the instant between the two is lost, which a log can bear.
struct LogRotation: Sendable {
    var longestBytes = 16 << 20
    var keptFiles = 3

    /// Whether the file has outgrown the bound and was rotated to NAME.1, with NAME.1 moved to NAME.2 and so on.
    @discardableResult
    func rotate(_ path: String) throws -> Bool {
        let files = FileManager.default
        guard let size = try? files.attributesOfItem(atPath: path)[.size] as? Int, size > longestBytes else {
            return false  // a log that is not there yet is no failure
        }
        // Copied before the kept files make room for it: where the disk is full they stay.
        let copy = "\(path).copy"
        if files.fileExists(atPath: copy) { try files.removeItem(atPath: copy) }
        do {
            try files.copyItem(atPath: path, toPath: copy)
        } catch {
            _ = try? files.removeItem(atPath: copy)  // What is left of it only takes room.
            throw error
        }
        for number in stride(from: keptFiles, through: 2, by: -1) {
            let older = "\(path).\(number)"
            let newer = "\(path).\(number - 1)"
            guard files.fileExists(atPath: newer) else { continue }
            if files.fileExists(atPath: older) { try files.removeItem(atPath: older) }
            try files.moveItem(atPath: newer, toPath: older)
        }
        let first = "\(path).1"
        if files.fileExists(atPath: first) { try files.removeItem(atPath: first) }
        try files.moveItem(atPath: copy, toPath: first)
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        defer { try? handle.close() }  // the content is already where it belongs
        try handle.truncate(atOffset: 0)
        return true
    }
}
