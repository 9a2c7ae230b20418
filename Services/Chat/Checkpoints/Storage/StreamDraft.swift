/// What a call adds to a thread's streams, before it is known where they end.
struct StreamDraft {
    enum Target: Hashable {
        case stream(Int32)
        /// The first new one is 0.
        case new(Int)
    }

    enum Part: Hashable {
        case kept(Piece)
        case added(Target, Range<Int>)
    }

    struct Value: Hashable {
        let type: String
        let byteCount: Int
        let checksum: [UInt8]
        let parts: [Part]
    }

    /// Values of fewer bytes lie in stream 0 with the checkpoints; larger ones have a stream of their own, where the next version follows.
    static let largeBytes = 2_048
    /// Few bytes are kept where they are told of.
    static let inlineBytes = 24
    /// A value of more pieces is written out again.
    static let maxPieces = 64

    private(set) var additions: [Target: [UInt8]] = [:]
    private var newStreams = 0

    /// - Parameter base: the channel's value before, and its bytes.
    mutating func add(_ value: TypedValue, base: (value: StoredValue, bytes: [UInt8])?) -> Value {
        Value(
            type: value.type, byteCount: value.data.count, checksum: StoredValue.checksum(of: value.data),
            parts: parts(of: value.data, base: base))
    }

    private mutating func parts(of data: [UInt8], base: (value: StoredValue, bytes: [UInt8])?) -> [Part] {
        if data.count <= Self.inlineBytes { return data.isEmpty ? [] : [.kept(.inline(data))] }
        guard data.count >= Self.largeBytes else { return [append(data, to: .stream(0))] }
        guard let base, let stream = base.value.pieces.ranges.map(\.stream).first(where: { $0 > 0 }) else {
            defer { newStreams += 1 }
            return [append(data, to: .new(newStreams))]
        }
        let matched = PieceMatcher.versions.parts(of: data, base: base.bytes)
        var parts: [Part] = []
        var literals: [UInt8] = additions[.stream(stream)] ?? []
        for part in matched {
            switch part {
            case .copy(let range): parts += base.value.pieces.part(range).map { .kept($0) }
            case .literal(let range) where range.count <= Self.inlineBytes: parts.append(.kept(.inline(Array(data[range]))))
            case .literal(let range):
                parts.append(.added(.stream(stream), literals.count..<literals.count + range.count))
                literals += data[range]
            }
        }
        guard parts.count <= Self.maxPieces else { return [append(data, to: .stream(stream))] }
        if !literals.isEmpty { additions[.stream(stream)] = literals }
        return parts
    }

    private mutating func append(_ bytes: [UInt8], to target: Target) -> Part {
        let start = additions[target]?.count ?? 0
        additions[target, default: []] += bytes
        return .added(target, start..<start + bytes.count)
    }
}

/// Where a draft's additions go.
struct StreamPlaces {
    /// Where each stream ends.
    let ends: [Int32: Int64]
    let firstNewStream: Int32

    func stream(_ target: StreamDraft.Target) -> Int32 {
        switch target {
        case .stream(let stream): stream
        case .new(let number): firstNewStream + Int32(number)
        }
    }

    func end(_ stream: Int32) -> Int64 { ends[stream] ?? 0 }

    func placed(_ value: StreamDraft.Value) -> StoredValue {
        var pieces: [Piece] = []
        for part in value.parts {
            switch part {
            case .kept(let piece): pieces.add(piece)
            case .added(let target, let range):
                let stream = stream(target)
                pieces.add(.range(StreamRange(stream: stream, position: end(stream) + Int64(range.lowerBound), count: range.count)))
            }
        }
        return StoredValue(type: value.type, byteCount: value.byteCount, checksum: value.checksum, pieces: pieces)
    }
}
