internal import Application
internal import Contracts
internal import RPC

/// Everything that can go wrong with exports beyond a malformed request and a store that is down.
enum ExportsError: Error, Hashable {
    case notFound
    /// The client id stands for an export in another format.
    case clientIDUsed
    /// Another of the person's is being written.
    case running
    /// As many are kept as one may have.
    case tooMany
    /// It is still being written, or never will be whole.
    case notFinished
}

extension ExportsError: RPCErrorConvertible {
    var rpcError: RPCError {
        switch self {
        case .notFound: RPCError(.notFound, "You have no export with this id; it may have expired.")
        case .clientIDUsed: RPCError(.alreadyExists, "The client id was used for an export in another format.")
        case .running: RPCError(.failedPrecondition, "Another export of yours is being written; wait for it or delete it.")
        case .tooMany: .quota("user", "A person may have \(Export.most) exports; delete one first.")
        case .notFinished: RPCError(.failedPrecondition, "The export has not finished; ask for its state first.")
        }
    }
}
