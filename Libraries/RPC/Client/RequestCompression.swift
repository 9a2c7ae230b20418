internal import HTTP2
internal import Synchronization

/// What a channel has learned about packing requests: a server that says what it reads, and does not name gzip, is sent
/// none any more.
final class RequestCompression: Sendable {
    private let refused = Atomic(false)

    /// The channel's, or `nil` when requests go as they are.
    func chosen(_ encoding: MessageEncoding) -> RequestCompression? {
        encoding == .gzip && !refused.load(ordering: .relaxed) ? self : nil
    }

    /// Reads what an answer says of the encodings that its server reads.
    func heard(_ fields: Range<Int>, of batch: HTTP2Batch) {
        batch.forEachField(in: fields) { name, value in
            guard case .acceptEncoding = FieldName(name) else { return }
            if AcceptedEncodings.acceptance(String(copying: value)) != .gzip { refused.store(true, ordering: .relaxed) }
        }
    }
}
