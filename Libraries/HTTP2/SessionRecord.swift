internal import CNghttp2

/// What nghttp2's callbacks write down. Each callback appends here and does nothing else; what it means is decided
/// after the C call has returned.
final class SessionRecord {
    let role: HTTP2Role
    let maxHeaderListBytes: Int
    let lowWaterBytes: Int

    var batch = HTTP2Batch()
    var bodies: [HTTP2StreamID: OutboundBody] = [:]
    var arena = HeaderArena()
    var lastRequestSent: HTTP2StreamID = 0

    private var headers: [HTTP2Header] = []
    private var headerBytes = 0
    private var headersAreTruncated = false

    init(role: HTTP2Role, settings: HTTP2Settings) {
        self.role = role
        self.maxHeaderListBytes = settings.maxHeaderListBytes
        self.lowWaterBytes = settings.lowWaterBytes
    }

    func beginHeaders() {
        headers = []
        headers.reserveCapacity(10)
        headerBytes = 0
        headersAreTruncated = false
    }

    func addHeader(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        headerBytes += name.count + value.count + 32
        if headerBytes > maxHeaderListBytes {
            headersAreTruncated = true
            return
        }
        unsafe headers.append(HTTP2Header(FamiliarText.string(name), FamiliarText.string(value)))
    }

    func endHeaders(_ stream: HTTP2StreamID, endStream: Bool) {
        batch.events.append(.headers(stream, headers, endStream: endStream, isTruncated: headersAreTruncated))
        headers = []
    }

    func addData(_ stream: HTTP2StreamID, _ bytes: UnsafeRawBufferPointer) {
        let start = batch.body.count
        unsafe batch.body.append(contentsOf: bytes)
        batch.events.append(.data(stream, start..<batch.body.count))
    }

    func closeStream(_ stream: HTTP2StreamID, _ code: UInt32) {
        bodies[stream] = nil
        batch.events.append(.streamClosed(stream, HTTP2ErrorCode(rawValue: code)))
    }
}

/// Header text that nearly every message repeats, so that no string has to be made for it.
enum FamiliarText {
    private static let texts = [
        "application/grpc", "grpc-accept-encoding", "application/grpc+proto", "identity, deflate, gzip",
        "identity,deflate,gzip", "grpc-status-details-bin",
    ]

    static func string(_ bytes: UnsafeRawBufferPointer) -> String {
        // Up to fifteen bytes live inside the String itself.
        if bytes.count > 15 {
            for text in texts where text.utf8.count == bytes.count {
                if unsafe bytes.elementsEqual(text.utf8) { return text }
            }
        }
        return unsafe String(decoding: bytes, as: UTF8.self)
    }
}
