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

    /// What a peer takes of metadata is 8 KiB for some and 16 KiB for most, and what is more costs it the status itself.
    static let maxMessageBytes = 2 << 10
    static let maxDetailsBytes = 5 << 10

    /// The error as it is sent: of a long message the beginning, and no details that would not fit.
    static func fitting(_ error: RPCError) -> RPCError {
        var error = error
        if error.details.count > maxDetailsBytes { error.details = [] }
        let text = error.message.utf8
        if text.count > maxMessageBytes {
            var end = text.index(text.startIndex, offsetBy: maxMessageBytes)
            while text[end] & 0xC0 == 0x80 { text.formIndex(before: &end) }
            error.message = String(decoding: text[..<end], as: UTF8.self) + "…"
        }
        return error
    }

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
        metadata.isEmpty ? [] : metadata.map(\.header)
    }

    static func append(_ metadata: Metadata, to headers: inout [HTTP2Header]) {
        for field in metadata { headers.append(field.header) }
    }
}

extension Metadata.Field {
    /// As it is sent. HTTP/2 has no spaces around a value (RFC 9113, section 8.2.1), and gRPC lets them be taken away.
    fileprivate var header: HTTP2Header {
        let (space, bytes) = (UInt8(ascii: " "), value.utf8)
        guard bytes.first == space || bytes.last == space else { return HTTP2Header(name, value) }
        let rest = bytes.drop { $0 == space }
        let count = rest.count - rest.reversed().prefix { $0 == space }.count
        return HTTP2Header(name, String(decoding: rest.prefix(count), as: UTF8.self))
    }
}
