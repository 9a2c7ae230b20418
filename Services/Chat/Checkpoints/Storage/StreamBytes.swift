/// Bytes of a thread's streams, in memory.
struct StreamBytes: Sendable {
    private var segments: [Int32: [(position: Int64, bytes: [UInt8])]] = [:]

    init(_ segments: [(head: SegmentHead, bytes: [UInt8])]) {
        for segment in segments { self.segments[segment.head.stream, default: []].append((segment.head.position, segment.bytes)) }
        for stream in self.segments.keys { self.segments[stream]?.sort { $0.position < $1.position } }
    }

    /// The bytes of these pieces one after another; `nil` if some of them are not here.
    func bytes(of pieces: [Piece]) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(pieces.reduce(0) { $0 + $1.count })
        for piece in pieces {
            switch piece {
            case .inline(let inline): bytes += inline
            case .range(let range): guard append(range, to: &bytes) else { return nil }
            }
        }
        return bytes
    }

    /// What was kept, if it comes out as it went in.
    func value(_ value: StoredValue) -> TypedValue? {
        guard let bytes = bytes(of: value.pieces), StoredValue.checksum(of: bytes) == value.checksum else { return nil }
        return TypedValue(type: value.type, data: bytes)
    }

    private func append(_ range: StreamRange, to bytes: inout [UInt8]) -> Bool {
        guard let segments = segments[range.stream] else { return false }
        // The last one that begins at the position or before.
        var (low, high) = (0, segments.count)
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].position <= range.position { low = middle + 1 } else { high = middle }
        }
        var place = low - 1
        var position = range.position
        while position < range.end {
            guard place >= 0, place < segments.count else { return false }
            let segment = segments[place]
            let start = Int(position - segment.position)
            guard start >= 0, start < segment.bytes.count else { return false }
            let end = min(segment.bytes.count, start + Int(range.end - position))
            bytes += segment.bytes[start..<end]
            position += Int64(end - start)
            place += 1
        }
        return true
    }
}
