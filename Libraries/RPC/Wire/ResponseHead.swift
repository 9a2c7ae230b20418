internal import HTTP2

/// What a block of header fields from a server means for the call.
enum ResponseHead {
    /// Response metadata; messages and trailers follow.
    case begun(Metadata)
    /// The end of the call, with its status.
    case ended(Result<Void, RPCError>, Metadata)
    /// An interim response, which gRPC does not use.
    case ignored

    /// Reads the first block of a response.
    init(first headers: [HTTP2Header], endStream: Bool) {
        let fields = Fields(headers)
        if let status = fields.httpStatus, (100..<200).contains(status), !endStream {
            self = .ignored
        } else if let status = fields.status {
            self = .ended(status, fields.metadata)
        } else if fields.httpStatus != 200 {
            self = .ended(.failure(HTTPStatusMapping.error(fields.httpStatus)), fields.metadata)
        } else if !fields.contentType.hasPrefix("application/grpc") {
            let error = RPCError(.unknown, "The server answered with '\(fields.contentType)', which is not gRPC.")
            self = .ended(.failure(error), fields.metadata)
        } else if endStream {
            self = .ended(.failure(.noStatus), fields.metadata)
        } else if fields.encoding != "identity" {
            let error = RPCError(.internalError, "The server compressed its answer with \(fields.encoding), unasked.")
            self = .ended(.failure(error), fields.metadata)
        } else {
            self = .begun(fields.metadata)
        }
    }

    /// Reads the block behind the messages.
    init(trailers headers: [HTTP2Header]) {
        let fields = Fields(headers)
        self = .ended(fields.status ?? .failure(.noStatus), fields.metadata)
    }

    private struct Fields {
        var httpStatus: Int?
        var contentType = ""
        var encoding = "identity"
        var status: Result<Void, RPCError>?
        var metadata = Metadata()

        init(_ headers: [HTTP2Header]) {
            var code: String?
            var message = ""
            var details: [UInt8] = []
            for header in headers {
                switch header.name {
                case ":status": httpStatus = Int(header.value)
                case "content-type": contentType = header.value
                case "grpc-encoding": encoding = header.value
                case "grpc-status": code = header.value
                case "grpc-message": message = PercentEncoding.decode(header.value)
                case "grpc-status-details-bin": details = Base64.decode(header.value.utf8) ?? []
                default:
                    if header.name.hasPrefix("grpc-") || header.name.utf8.first == UInt8(ascii: ":") { continue }
                    metadata.add(header.name, value: header.value)
                }
            }
            guard let code else { return }
            switch Int(code).map({ StatusCode(rawValue: $0) ?? .unknown }) {
            case .ok: status = .success(())
            case let known?: status = .failure(RPCError(known, message, details: details, trailers: metadata))
            case nil: status = .failure(RPCError(.unknown, "The server sent a status that is not a number."))
            }
        }
    }
}

/// What to make of an answer that did not come from a gRPC server (gRPC's http-grpc-status-mapping.md).
enum HTTPStatusMapping {
    static func error(_ status: Int?) -> RPCError {
        let code: StatusCode =
            switch status {
            case 400: .internalError
            case 401: .unauthenticated
            case 403: .permissionDenied
            case 404: .unimplemented
            case 429, 502, 503, 504: .unavailable
            default: .unknown
            }
        return RPCError(code, "The server answered with HTTP status \(status.map(String.init) ?? "none") and no gRPC status.")
    }
}

/// What a reset stream means for its call (gRPC's PROTOCOL-HTTP2.md, "Errors").
enum ResetMapping {
    static func error(_ code: HTTP2ErrorCode) -> RPCError {
        let status: StatusCode =
            switch code {
            case .refusedStream: .unavailable
            case .cancel: .cancelled
            case .enhanceYourCalm: .resourceExhausted
            case .inadequateSecurity: .permissionDenied
            default: .internalError
            }
        return RPCError(status, "The stream was reset with \(code).")
    }
}

extension RPCError {
    static let noStatus = RPCError(.unknown, "The server ended the call without a status.")
    static let notOneResponse = RPCError(.unimplemented, "The server did not answer with exactly one message.")
    static let cancelledByCaller = RPCError(.cancelled, "The call was cancelled.")
    static let deadlinePassed = RPCError(.deadlineExceeded, "The deadline passed before the server answered.")
}
