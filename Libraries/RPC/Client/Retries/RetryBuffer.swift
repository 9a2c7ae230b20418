internal import Synchronization

/// How much the calls of one channel keep of their requests, so that they could be sent again (gRFC A6, "Memory
/// Management (Buffering)").
final class RetryBuffer: Sendable {
    private let limit: Int
    private let kept = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether so many bytes may be kept as well. Calls that ask at the same time may all be told so.
    func hasRoom(for byteCount: Int) -> Bool { kept.load(ordering: .relaxed) + byteCount <= limit }

    /// So many more bytes are kept. Whether all that is kept is within the limit.
    func keep(_ byteCount: Int) -> Bool { kept.add(byteCount, ordering: .relaxed).newValue <= limit }

    func release(_ byteCount: Int) { kept.subtract(byteCount, ordering: .relaxed) }

    var byteCount: Int { kept.load(ordering: .relaxed) }
}
