internal import HTTP2

/// The header fields that HTTP/2 and gRPC give a meaning to, told apart by length before bytes.
enum FieldName {
    case method, path, status, contentType, te
    case timeout, encoding, acceptEncoding, grpcStatus, message, statusDetails
    case userAgent
    /// Belongs to HTTP or gRPC and says nothing that is used.
    case unused
    /// An application's own.
    case metadata

    init(_ name: RawSpan) {
        switch name.byteCount {
        case 2 where name.equals("te"): self = .te
        case 4 where name.equals("host"): self = .unused
        case 5 where name.equals(":path"): self = .path
        case 7 where name.equals(":method"): self = .method
        case 7 where name.equals(":status"): self = .status
        case 10 where name.equals("user-agent"): self = .userAgent
        case 11 where name.equals("grpc-status"): self = .grpcStatus
        case 12 where name.equals("content-type"): self = .contentType
        case 12 where name.equals("grpc-timeout"): self = .timeout
        case 12 where name.equals("grpc-message"): self = .message
        case 13 where name.equals("grpc-encoding"): self = .encoding
        case 14 where name.equals("content-length"): self = .unused
        case 20 where name.equals("grpc-accept-encoding"): self = .acceptEncoding
        case 23 where name.equals("grpc-status-details-bin"): self = .statusDetails
        // gRFC A6 lets applications know of these two.
        case 22 where name.equals("grpc-retry-pushback-ms"): self = .metadata
        case 26 where name.equals("grpc-previous-rpc-attempts"): self = .metadata
        default: self = name.hasPrefix(":") || name.hasPrefix("grpc-") ? .unused : .metadata
        }
    }
}
