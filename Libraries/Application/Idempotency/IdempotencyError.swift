package import RPC
internal import Contracts

/// Why a call with an idempotency-key is not answered.
package enum IdempotencyError: Error, Hashable {
    case keyIsMalformed
    /// By a method; with the sentence that says why.
    case keyIsNotTaken(String)
    /// For another request.
    case idempotencyKeyReused
    /// The first call with the key.
    case callIsRunning
}

extension IdempotencyError: RPCErrorConvertible {
    package var rpcError: RPCError {
        switch self {
        case .keyIsMalformed:
            .invalid([(IdempotencyKey.field, "is not one key of 1 to 255 visible ASCII characters.")])
        case .keyIsNotTaken(let sentence):
            .invalid([(IdempotencyKey.field, sentence)])
        case .idempotencyKeyReused:
            RPCError(
                .failedPrecondition, "This \(IdempotencyKey.field) was used for another request. Another request needs a key of its own.")
        case .callIsRunning:
            .retry(
                .aborted, "The first call with this \(IdempotencyKey.field) has not ended yet. Try again.", after: .seconds(1))
        }
    }
}
