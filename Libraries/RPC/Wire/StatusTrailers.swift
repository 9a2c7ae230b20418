internal import HTTP2

/// How a call's end is written as header fields.
enum StatusTrailers {
    static func ok(_ metadata: Metadata) -> [HTTP2Header] {
        var headers = [HTTP2Header("grpc-status", "0")]
        append(metadata, to: &headers)
        return headers
    }

    static func failure(_ error: RPCError, _ metadata: Metadata) -> [HTTP2Header] {
        var headers = [HTTP2Header("grpc-status", String(error.code.rawValue))]
        if !error.message.isEmpty { headers.append(HTTP2Header("grpc-message", PercentEncoding.encode(error.message))) }
        if !error.details.isEmpty {
            headers.append(HTTP2Header("grpc-status-details-bin", Base64.encode(error.details)))
        }
        if error.code == .unimplemented { headers.append(HTTP2Header("grpc-accept-encoding", "identity")) }
        append(metadata, to: &headers)
        append(error.trailers, to: &headers)
        return headers
    }

    static func append(_ metadata: Metadata, to headers: inout [HTTP2Header]) {
        for field in metadata { headers.append(HTTP2Header(field.name, field.value)) }
    }
}
