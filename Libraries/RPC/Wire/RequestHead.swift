internal import HTTP2

/// What the header fields of a request say, or why they are not those of a gRPC call.
struct RequestHead {
    var path = ""
    var timeout: Duration?
    var metadata = Metadata()

    enum Refusal: Error {
        /// Not gRPC at all: an HTTP status and nothing else.
        case http(Int)
        /// gRPC, but not a call that can be served.
        case status(RPCError)
    }

    init(_ headers: [HTTP2Header], isTruncated: Bool) throws(Refusal) {
        var method = ""
        var contentType = ""
        var announcesTrailers = false
        var encoding = "identity"
        var timeoutText: String?
        for header in headers {
            switch header.name {
            case ":method": method = header.value
            case ":path": path = header.value
            case ":scheme", ":authority", "host", "content-length", "grpc-accept-encoding", "accept-encoding": break
            case "content-type": contentType = header.value
            case "te": announcesTrailers = header.value == "trailers"
            case "grpc-encoding": encoding = header.value
            case "grpc-timeout": timeoutText = header.value
            default:
                if header.name.hasPrefix("grpc-") || header.name.utf8.first == UInt8(ascii: ":") { continue }
                metadata.add(header.name, value: header.value)
            }
        }
        if isTruncated {
            throw .status(RPCError(.resourceExhausted, "The metadata of the call is larger than the server accepts."))
        }
        guard method == "POST" else { throw .http(405) }
        guard RequestHead.isGRPC(contentType) else { throw .http(415) }
        guard announcesTrailers else {
            let message = "The header 'te: trailers' is missing, so the status might not arrive."
            throw .status(RPCError(.internalError, message))
        }
        guard encoding == "identity" else {
            throw .status(RPCError(.unimplemented, "The server does not read messages compressed with \(encoding)."))
        }
        if let timeoutText {
            guard let timeout = WireTimeout.parse(timeoutText) else {
                throw .status(RPCError(.internalError, "The grpc-timeout of the call is malformed."))
            }
            self.timeout = timeout
        }
    }

    /// Whether a content type is that of gRPC with protobuf messages, the only ones here.
    static func isGRPC(_ contentType: String) -> Bool {
        if contentType == "application/grpc" || contentType == "application/grpc+proto" { return true }
        return contentType.hasPrefix("application/grpc;") || contentType.hasPrefix("application/grpc+proto;")
    }
}
