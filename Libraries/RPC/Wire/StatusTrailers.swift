internal import HTTP2

/// How a call's end is written as header fields.
enum StatusTrailers {
    /// What every answer begins with.
    static let responseHead = HTTP2FixedFields([
        HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc"),
    ])

    /// The same for callers that say which encodings they read, and so want to know ours.
    static let responseHeadWithEncodings = HTTP2FixedFields([
        HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc"),
        HTTP2Header("grpc-accept-encoding", MessageEncoding.accepted),
    ])

    static let ok = HTTP2FixedFields([HTTP2Header("grpc-status", "0")])

    /// - Parameter metadata: all that goes along, the error's own too.
    static func failure(_ error: RPCError, _ metadata: Metadata) -> [HTTP2Header] {
        var headers = [HTTP2Header("grpc-status", String(error.code.rawValue))]
        if !error.message.isEmpty { headers.append(HTTP2Header("grpc-message", PercentEncoding.encode(error.message))) }
        if !error.details.isEmpty {
            headers.append(HTTP2Header("grpc-status-details-bin", Base64.encode(error.details)))
        }
        if error.code == .unimplemented { headers.append(HTTP2Header("grpc-accept-encoding", MessageEncoding.accepted)) }
        append(metadata, to: &headers)
        return headers
    }

    static func fields(_ metadata: Metadata) -> [HTTP2Header] {
        metadata.isEmpty ? [] : metadata.map { HTTP2Header($0.name, $0.value) }
    }

    static func append(_ metadata: Metadata, to headers: inout [HTTP2Header]) {
        for field in metadata { headers.append(HTTP2Header(field.name, field.value)) }
    }
}
