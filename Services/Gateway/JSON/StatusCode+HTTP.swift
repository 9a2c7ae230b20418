import Application
import Contracts
import HTTPTypes
import RPC

extension RPCError {
    /// The HTTP status that stands for the error: that of its code, but for a key that was used for another request, for which
    /// draft-ietf-httpapi-idempotency-key-header has one of its own, and for a request that is too large, which 429 would have made again.
    var httpStatus: HTTPResponse.Status {
        switch detail(GoogleRPC.ErrorInfo.self)?.reason {
        case IdempotencyKey.reused: .unprocessableContent
        case RPCError.requestTooLargeReason: .contentTooLarge
        default: code.httpStatus
        }
    }
}

extension StatusCode {
    /// The HTTP status that stands for a gRPC status, as google/rpc/code.proto says.
    var httpStatus: HTTPResponse.Status {
        switch self {
        case .ok: .ok
        case .cancelled: HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request")
        case .invalidArgument, .failedPrecondition, .outOfRange: .badRequest
        case .unauthenticated: .unauthorized
        case .permissionDenied: .forbidden
        case .notFound: .notFound
        case .alreadyExists, .aborted: .conflict
        case .resourceExhausted: .tooManyRequests
        case .unimplemented: .notImplemented
        case .unavailable: .serviceUnavailable
        case .deadlineExceeded: .gatewayTimeout
        case .unknown, .internalError, .dataLoss: .internalServerError
        }
    }
}
