/// What waits to be sent on one stream: bytes in order, then perhaps trailers.
final class OutboundBody {
    private var chunks: [[UInt8]] = []
    private var firstChunk = 0
    private var offset = 0
    private(set) var byteCount = 0
    private(set) var isFinished = false
    private var fixedTrailers: HTTP2FixedFields?
    private var trailers: [HTTP2Header] = []
    /// nghttp2 asked for bytes when there were none, and has to be told when there are.
    var isDeferred = false
    /// Somebody waits for the bytes to become fewer.
    var reportsDrain = false

    func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        chunks.append(bytes)
        byteCount += bytes.count
    }

    func finish(_ fixed: HTTP2FixedFields?, _ trailers: [HTTP2Header]) {
        isFinished = true
        fixedTrailers = fixed
        self.trailers = trailers
    }

    /// The trailers, once.
    func takeTrailers() -> (HTTP2FixedFields?, [HTTP2Header])? {
        if fixedTrailers == nil, trailers.isEmpty { return nil }
        defer {
            fixedTrailers = nil
            trailers = []
        }
        return (fixedTrailers, trailers)
    }

    /// Forgets the bytes that wait: the stream is about to be reset.
    func drop() {
        chunks = []
        firstChunk = 0
        offset = 0
        byteCount = 0
    }

    /// Becomes a body that nothing has been asked of.
    func reset() {
        chunks.removeAll(keepingCapacity: chunks.capacity <= 64)
        firstChunk = 0
        offset = 0
        byteCount = 0
        isFinished = false
        fixedTrailers = nil
        trailers = []
        isDeferred = false
        reportsDrain = false
    }

    /// Moves as many bytes as there are and fit; returns how many.
    func move(into place: UnsafeMutableRawBufferPointer) -> Int {
        var moved = 0
        while firstChunk < chunks.count, moved < place.count {
            let count = min(chunks[firstChunk].count - offset, place.count - moved)
            unsafe chunks[firstChunk].withUnsafeBytes { chunk in
                unsafe UnsafeMutableRawBufferPointer(rebasing: place[moved..<moved + count])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: chunk[offset..<offset + count]))
            }
            moved += count
            offset += count
            if offset == chunks[firstChunk].count {
                chunks[firstChunk] = []
                firstChunk += 1
                offset = 0
            }
        }
        if firstChunk == chunks.count {
            chunks.removeAll(keepingCapacity: true)
            firstChunk = 0
        } else if firstChunk >= 32 {
            chunks.removeFirst(firstChunk)
            firstChunk = 0
        }
        byteCount -= moved
        return moved
    }
}
