internal import Crypto

/// Some of a stream's bytes.
struct StreamRange: Hashable, Sendable {
    let stream: Int32
    let position: Int64
    let count: Int

    var end: Int64 { position + Int64(count) }
}

/// A part of something that is kept: the bytes themselves where they are few, or where they lie.
enum Piece: Hashable, Sendable {
    case inline([UInt8])
    case range(StreamRange)

    var count: Int {
        switch self {
        case .inline(let bytes): bytes.count
        case .range(let range): range.count
        }
    }

    /// Part of the piece.
    func part(_ part: Range<Int>) -> Piece {
        switch self {
        case .inline(let bytes): .inline(Array(bytes[part]))
        case .range(let range):
            .range(StreamRange(stream: range.stream, position: range.position + Int64(part.lowerBound), count: part.count))
        }
    }
}

extension [Piece] {
    /// Adds a piece at the end, as part of the last where the one goes on where the other ends.
    mutating func add(_ piece: Piece) {
        guard piece.count > 0 else { return }
        switch (last, piece) {
        case (.inline(let before)?, .inline(let bytes)): self[count - 1] = .inline(before + bytes)
        case (.range(let before)?, .range(let range)) where before.stream == range.stream && before.end == range.position:
            self[count - 1] = .range(
                StreamRange(stream: before.stream, position: before.position, count: before.count + range.count))
        default: append(piece)
        }
    }

    /// The pieces of part of what these are the pieces of.
    func part(_ part: Range<Int>) -> [Piece] {
        var found: [Piece] = []
        var start = 0
        for piece in self {
            let end = start + piece.count
            let common = part.clamped(to: start..<end)
            if !common.isEmpty { found.add(piece.part(common.lowerBound - start..<common.upperBound - start)) }
            start = end
            if start >= part.upperBound { break }
        }
        return found
    }

    var ranges: [StreamRange] {
        compactMap { if case .range(let range) = $0 { range } else { nil } }
    }
}

/// What a value is made of, and what tells whether it came out as it went in.
struct StoredValue: Hashable, Sendable {
    static let maxBytes = 64 << 20
    static let maxPieces = 4_096

    let type: String
    let byteCount: Int
    /// The first 8 bytes of the SHA-256 of the value.
    let checksum: [UInt8]
    let pieces: [Piece]

    init(type: String, byteCount: Int, checksum: [UInt8], pieces: [Piece]) {
        self.type = type
        self.byteCount = byteCount
        self.checksum = checksum
        self.pieces = pieces
    }

    /// A value that is kept where it is told of.
    init(inline value: TypedValue) {
        self.init(
            type: value.type, byteCount: value.data.count, checksum: Self.checksum(of: value.data),
            pieces: value.data.isEmpty ? [] : [.inline(value.data)])
    }

    static func checksum(of bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes).prefix(8)) }

    /// Whether it is of this value, by its checksum.
    func isOf(_ value: TypedValue) -> Bool {
        type == value.type && byteCount == value.data.count && checksum == Self.checksum(of: value.data)
    }

    /// How many of its bytes are kept where it is told of.
    var inlineBytes: Int {
        pieces.reduce(0) { if case .inline(let bytes) = $1 { $0 + bytes.count } else { $0 } }
    }

    func write(to writer: inout ByteWriter) {
        writer.append(type)
        writer.append(raw: checksum)
        writer.append(pieces.count)
        for piece in pieces {
            switch piece {
            case .inline(let bytes):
                writer.append(bytes.count << 1)
                writer.append(raw: bytes)
            case .range(let range):
                writer.append(range.count << 1 | 1)
                writer.append(Int(range.stream))
                writer.append(UInt64(range.position))
            }
        }
    }

    init(from reader: inout ByteReader) throws(UnreadableBytes) {
        type = try reader.text()
        checksum = Array(try reader.raw(8))
        var pieces: [Piece] = []
        var byteCount = 0
        for _ in 0..<(try reader.count(most: Self.maxPieces)) {
            let tag = try reader.count(most: Self.maxBytes << 1 | 1)
            let count = tag >> 1
            byteCount += count
            guard count > 0, byteCount <= Self.maxBytes else { throw .malformed }
            if tag & 1 == 0 {
                pieces.append(.inline(Array(try reader.raw(count))))
            } else {
                let stream = Int32(try reader.count(most: Int(Int32.max)))
                let position = Int64(try reader.count(most: 1 << 56))
                pieces.append(.range(StreamRange(stream: stream, position: position, count: count)))
            }
        }
        self.pieces = pieces
        self.byteCount = byteCount
    }
}
