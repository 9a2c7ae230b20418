internal import HTTP2

/// What a block of header fields from a server means for the call.
enum ResponseHead {
    /// Response metadata; messages and trailers follow.
    case begun(Metadata, MessageEncoding)
    /// The end of the call, with its status.
    case ended(Result<Void, RPCError>, Metadata)
    /// An interim response, which gRPC does not use.
    case ignored

    /// Reads the first block of a response.
    init(first fields: Range<Int>, of batch: HTTP2Batch, endStream: Bool) {
        let fields = Fields(fields, of: batch)
        if let status = fields.httpStatus, (100..<200).contains(status), !endStream {
            self = .ignored
        } else if let status = fields.status {
            self = .ended(status, fields.metadata)
        } else if fields.httpStatus != 200 {
            self = .ended(.failure(HTTPStatusMapping.error(fields.httpStatus)), fields.metadata)
        } else if !fields.isGRPC {
            let error = RPCError(.unknown, "The server answered with '\(fields.contentType)', which is not gRPC.")
            self = .ended(.failure(error), fields.metadata)
        } else if endStream {
            self = .ended(.failure(.noStatus), fields.metadata)
        } else if let encoding = MessageEncoding(wireName: fields.encoding ?? "identity") {
            self = .begun(fields.metadata, encoding)
        } else {
            let name = fields.encoding ?? ""
            let message = "The server compressed its answer with \(name); read are \(MessageEncoding.accepted)."
            self = .ended(.failure(RPCError(.internalError, message)), fields.metadata)
        }
    }

    /// Reads the block behind the messages.
    init(trailers fields: Range<Int>, of batch: HTTP2Batch) {
        let fields = Fields(fields, of: batch)
        self = .ended(fields.status ?? .failure(.noStatus), fields.metadata)
    }

    private struct Fields {
        var httpStatus: Int?
        var isGRPC = false
        var contentType = ""
        var encoding: String?
        var status: Result<Void, RPCError>?
        var metadata = Metadata()

        init(_ fields: Range<Int>, of batch: HTTP2Batch) {
            var code: String?
            var message = ""
            var details: [UInt8] = []
            batch.forEachField(in: fields) { name, value in
                switch FieldName(name) {
                case .status: httpStatus = value.equals("200") ? 200 : Int(String(copying: value))
                case .contentType:
                    isGRPC = value.hasPrefix("application/grpc")
                    if !isGRPC { contentType = String(copying: value) }
                case .encoding: encoding = String(copying: value)
                case .grpcStatus: code = String(copying: value)
                case .message: message = PercentEncoding.decode(String(copying: value))
                case .statusDetails: details = Base64.decode(String(copying: value).utf8) ?? []
                case .metadata, .userAgent: metadata.append(String(copying: name), String(copying: value))
                case .unused, .acceptEncoding, .method, .path, .te, .timeout: break
                }
            }
            guard let code else { return }
            if code == "0" {
                status = .success(())
                return
            }
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
    /// Of a call that had no connection yet.
    static let deadlinePassedUnsent = RPCError(.deadlineExceeded, "The deadline passed before the call could be sent to a server.")

    static func unreachable(_ reason: String) -> RPCError {
        RPCError(.unavailable, "The server cannot be reached: \(reason)")
    }
}
