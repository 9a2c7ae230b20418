internal import HTTP2

/// What the header fields of a request say, or why they are not those of a gRPC call.
struct RequestHead {
    let method: MethodTable.Entry
    private(set) var timeout: Duration?
    private(set) var metadata = Metadata()
    private(set) var compression = PeerCompression()
    /// What HTTP/2 counts for the metadata (RFC 9113, section 6.5.2).
    private(set) var metadataBytes = 0

    enum Refusal: Error {
        /// Not gRPC at all: an HTTP status and nothing else.
        case http(Int)
        /// gRPC, but not a call that can be served.
        case status(RPCError)
    }

    init(
        _ fields: Range<Int>,
        of batch: HTTP2Batch,
        isTruncated: Bool,
        methods: MethodTable,
        userAgent: inout RepeatedText,
        accepted: inout AcceptedEncodings
    ) throws(Refusal) {
        var isPost = false
        var isGRPC = false
        var announcesTrailers = false
        var encoding: String?
        var timeoutText: String?
        var found: MethodTable.Entry?
        var unknownPath = ""
        var metadata = Metadata()
        var metadataBytes = 0
        var compression = PeerCompression()
        batch.forEachField(in: fields) { name, value in
            switch FieldName(name) {
            case .method: isPost = value.equals("POST")
            case .path:
                found = methods.find(value)
                if found == nil { unknownPath = String(copying: value) }
            case .contentType: isGRPC = RequestHead.isGRPC(value)
            case .te: announcesTrailers = value.equals("trailers")
            case .acceptEncoding: compression.accepts = accepted.read(value)
            case .encoding: encoding = String(copying: value)
            case .timeout: timeoutText = String(copying: value)
            case .userAgent:
                metadata.append("user-agent", userAgent.string(value))
                metadataBytes += name.byteCount + value.byteCount + 32
            case .metadata:
                metadata.append(String(copying: name), String(copying: value))
                metadataBytes += name.byteCount + value.byteCount + 32
            case .unused, .status, .grpcStatus, .message, .statusDetails: break
            }
        }
        if isTruncated {
            throw .status(RPCError(.resourceExhausted, "The metadata of the call is larger than the server accepts."))
        }
        guard isPost else { throw .http(405) }
        guard isGRPC else { throw .http(415) }
        guard announcesTrailers else {
            let message = "The header 'te: trailers' is missing, so the status might not arrive."
            throw .status(RPCError(.internalError, message))
        }
        if let encoding {
            guard let known = MessageEncoding(wireName: encoding) else {
                let message = "The server does not read messages compressed with \(encoding); it reads \(MessageEncoding.accepted)."
                throw .status(RPCError(.unimplemented, message))
            }
            compression.encoding = known
        }
        if let timeoutText {
            guard let timeout = WireTimeout.parse(timeoutText) else {
                throw .status(RPCError(.internalError, "The grpc-timeout of the call is malformed."))
            }
            self.timeout = timeout
        }
        guard let found else { throw .status(methods.unknown(unknownPath)) }
        self.method = found
        self.metadata = metadata
        self.metadataBytes = metadataBytes
        self.compression = compression
    }

    /// Whether a content type is that of gRPC with protobuf messages, the only ones here.
    static func isGRPC(_ contentType: RawSpan) -> Bool {
        switch contentType.byteCount {
        case 16: contentType.equals("application/grpc")
        case 22 where contentType.equals("application/grpc+proto"): true
        default: contentType.hasPrefix("application/grpc;") || contentType.hasPrefix("application/grpc+proto;")
        }
    }
}

extension TraceContext {
    /// The trace of a request whose head is refused: its caller's as far as that can be read, or one that begins here.
    init(ofRefused fields: Range<Int>, of batch: HTTP2Batch) {
        var metadata = Metadata()
        batch.forEachField(in: fields) { name, value in
            guard name.equals("traceparent") || name.equals("tracestate") else { return }
            metadata.append(String(copying: name), String(copying: value))
        }
        self = TraceContext(metadata) ?? .make()
    }
}
