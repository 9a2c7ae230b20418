internal import CNghttp2

/// What nghttp2's callbacks write down. Each callback appends here and does nothing else; what it means is decided
/// after the C call has returned.
final class SessionRecord {
    let role: HTTP2Role
    let maxHeaderListBytes: Int
    let lowWaterBytes: Int

    var batch = HTTP2Batch()
    var bodies = HTTP2StreamTable<OutboundBody>()
    var arena = HeaderArena()
    var lastRequestSent: HTTP2StreamID = 0
    /// HEADERS and DATA frames sent, of which a ping's sender may have been curious. It wraps.
    var messageFramesSent: UInt64 = 0
    var peerMinPingInterval: Duration?
    /// The last request that could not be sent, whose end has been reported.
    var lastRequestNotSent: HTTP2StreamID = 0

    /// The first field of the block that is arriving; `nil` between blocks.
    private var firstField: Int?
    private var headerBytes = 0
    private var headersAreTruncated = false
    /// Bodies whose streams are gone, to be used again.
    private var spareBodies: [OutboundBody] = []
    private static let maxSpareBodies = 64

    init(role: HTTP2Role, settings: HTTP2Settings) {
        self.role = role
        self.maxHeaderListBytes = settings.maxHeaderListBytes
        self.lowWaterBytes = settings.lowWaterBytes
    }

    func beginHeaders() {
        firstField = batch.fieldCount
        headerBytes = 0
        headersAreTruncated = false
    }

    func addHeader(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        headerBytes += name.count + value.count + 32
        if headerBytes > maxHeaderListBytes {
            headersAreTruncated = true
            return
        }
        unsafe batch.addField(name: name, value: value)
    }

    func endHeaders(_ stream: HTTP2StreamID, endStream: Bool) {
        let fields = (firstField ?? batch.fieldCount)..<batch.fieldCount
        firstField = nil
        batch.events.append(.headers(stream, fields, endStream: endStream, isTruncated: headersAreTruncated))
    }

    /// Whether a block of headers has begun and not come whole. The end of one that was refused is not told: the next frame is behind it.
    var isWithinHeaders: Bool { firstField != nil }

    /// A frame of another kind has come, and none stands within a block.
    func leaveHeaders() { firstField = nil }

    /// Hands out what was written down, but for a block of headers whose rest is still to come.
    func exchange(_ other: inout HTTP2Batch) {
        other.empty()
        swap(&other, &batch)
        guard let first = firstField else { return }
        batch.takeFields(from: first, of: &other)
        firstField = 0
    }

    /// Takes a batch to be filled, if nothing has been written down since the last was handed out.
    func lend(_ other: inout HTTP2Batch) {
        guard batch.events.isEmpty, firstField == nil else { return }
        other.empty()
        swap(&other, &batch)
    }

    /// Gives back the batch that was lent, unless something stands in it.
    func takeBack() -> HTTP2Batch? {
        guard batch.events.isEmpty, firstField == nil else { return nil }
        var lent = HTTP2Batch()
        swap(&lent, &batch)
        return lent
    }

    func addData(_ stream: HTTP2StreamID, _ bytes: UnsafeRawBufferPointer) {
        let start = batch.body.count
        unsafe batch.body.append(contentsOf: bytes)
        batch.events.append(.data(stream, start..<batch.body.count))
    }

    func makeBody() -> OutboundBody { spareBodies.popLast() ?? OutboundBody() }

    /// Gives a body back that no stream of nghttp2's refers to.
    func removeBody(of stream: HTTP2StreamID) {
        guard let body = bodies.removeValue(for: stream) else { return }
        recycle(body)
    }

    func recycle(_ body: OutboundBody) {
        guard spareBodies.count < SessionRecord.maxSpareBodies else { return }
        body.reset()
        spareBodies.append(body)
    }

    /// Reports the end of a stream, once: of a request that could not be sent, nghttp2 may report another end right away.
    func closeStream(_ stream: HTTP2StreamID, _ code: UInt32) {
        if stream == lastRequestNotSent { return }
        removeBody(of: stream)
        batch.events.append(.streamClosed(stream, HTTP2ErrorCode(rawValue: code)))
    }
}
