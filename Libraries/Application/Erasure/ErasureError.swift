package import RPC

/// Why nothing of a person is removed.
package enum ErasureError: Error, Hashable {
    /// The account has not been closed for this erasure.
    case accountStands
}

extension ErasureError: RPCErrorConvertible {
    package var rpcError: RPCError {
        switch self {
        case .accountStands: RPCError(.failedPrecondition, "The account has not been closed for this erasure.")
        }
    }
}
