internal import Foundation

/// Reads a file from front to back, a piece at a time: what is in memory does not grow with the file.
final class FileBytes {
    private let handle: FileHandle
    private let path: String
    private var piece = [UInt8]()
    private var next = 0
    /// How far it has been read.
    private(set) var offset: UInt64 = 0

    static let pieceBytes = 1 << 20

    init(_ file: URL, at offset: UInt64 = 0) throws {
        do {
            handle = try FileHandle(forReadingFrom: file)
            try handle.seek(toOffset: offset)
        } catch {
            throw CommandFailure("\(file.path) cannot be read: \(error.localizedDescription)")
        }
        path = file.path
        self.offset = offset
    }

    /// Throws a `CommandFailure` if a file cannot be read: before anybody signs in because of it.
    static func check(_ file: URL) throws { _ = try FileBytes(file).read(1) }

    /// The next so many bytes, or fewer where the file ends.
    func read(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count, try fill() {
            let end = min(piece.count, next + count - bytes.count)
            bytes += piece[next..<end]
            offset += UInt64(end - next)
            next = end
        }
        return bytes
    }

    /// The next line without its end; `nil` behind the last.
    ///
    /// - Throws: a `CommandFailure` for one that is longer than `most` bytes.
    func line(most: Int) throws -> [UInt8]? {
        var line: [UInt8] = []
        while try fill() {
            let end = piece[next...].firstIndex(of: UInt8(ascii: "\n"))
            line += piece[next..<(end ?? piece.count)]
            guard line.count <= most else { throw CommandFailure("it is longer than \(most >> 20) MiB.") }
            offset += UInt64((end.map { $0 + 1 } ?? piece.count) - next)
            next = end.map { $0 + 1 } ?? piece.count
            if end != nil { return line }
        }
        return line.isEmpty ? nil : line
    }

    /// Whether there is a byte to be taken from the piece.
    private func fill() throws -> Bool {
        guard next == piece.count else { return true }
        do {
            piece = [UInt8](try handle.read(upToCount: Self.pieceBytes) ?? Data())
        } catch {
            throw CommandFailure("\(path) cannot be read: \(error.localizedDescription)")  // A folder is opened, and then not read.
        }
        next = 0
        return !piece.isEmpty
    }
}

extension [UInt8] {
    /// Little-endian float32, four bytes each.
    var floats: [Float] {
        stride(from: 0, to: count - 3, by: 4).map { start in
            Float(
                bitPattern: UInt32(self[start]) | UInt32(self[start + 1]) << 8 | UInt32(self[start + 2]) << 16
                    | UInt32(self[start + 3]) << 24)
        }
    }
}

extension [Float] {
    /// Little-endian float32, four bytes each.
    var littleEndianBytes: [UInt8] {
        flatMap { component in (0..<4).map { UInt8(truncatingIfNeeded: component.bitPattern >> (8 * UInt32($0))) } }
    }
}
