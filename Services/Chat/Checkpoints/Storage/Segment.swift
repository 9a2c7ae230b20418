internal import Crypto
internal import LZ4
internal import Postgres

/// Where a row of segments lies, and what tells whether bytes are its bytes.
struct SegmentHead: Hashable, Sendable, RowDecodable {
    let stream: Int32
    let position: Int64
    let byteCount: Int
    /// The first 16 bytes of the SHA-256 of the unpacked bytes.
    let digest: [UInt8]

    var range: StreamRange { StreamRange(stream: stream, position: position, count: byteCount) }
}

/// Consecutive bytes of a stream, as a row holds them.
struct Segment: Hashable, Sendable {
    /// As in the table's rules; also how far a reader has to look back for the segment of a position.
    static let maxBytes = 65_536

    let head: SegmentHead
    /// An LZ4 block if it is shorter than the bytes, otherwise the bytes.
    let content: [UInt8]

    init(head: SegmentHead, content: [UInt8]) {
        self.head = head
        self.content = content
    }

    init(stream: Int32, position: Int64, bytes: [UInt8]) {
        head = SegmentHead(stream: stream, position: position, byteCount: bytes.count, digest: Self.digest(of: bytes))
        content = LZ4.compress(bytes.span) ?? bytes
    }

    /// Bytes as as few segments as they fit into.
    static func segments(of bytes: [UInt8], stream: Int32, position: Int64) -> [Segment] {
        stride(from: 0, to: bytes.count, by: maxBytes).map { start in
            Segment(
                stream: stream, position: position + Int64(start), bytes: Array(bytes[start..<min(start + maxBytes, bytes.count)]))
        }
    }

    static func digest(of bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes).prefix(16)) }

    /// `nil` if the content is not what the head tells of, whatever it is.
    var bytes: [UInt8]? {
        let bytes: [UInt8]
        if content.count == head.byteCount {
            bytes = content
        } else {
            do throws(LZ4Error) { bytes = try LZ4.decompress(content.span, count: head.byteCount) } catch { return nil }
        }
        return Self.digest(of: bytes) == head.digest ? bytes : nil
    }
}

extension SegmentHead {
    static let columns: Query = "stream, position, byte_count, digest"

    init(row: Row) throws(PostgresError) {
        stream = try row.decode("stream")
        position = try row.decode("position")
        byteCount = Int(try row.decode("byte_count", as: Int32.self))
        digest = try row.decode("digest")
    }
}

extension Segment: RowDecodable {
    init(row: Row) throws(PostgresError) {
        head = try SegmentHead(row: row)
        content = try row.decode("content")
    }
}
