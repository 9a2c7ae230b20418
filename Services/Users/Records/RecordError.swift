internal import Application
internal import Contracts
internal import RPC

/// Everything that can go wrong with people's own records beyond a malformed request and a store that is down.
enum RecordError: Error, Hashable {
    /// The person has none with this id or key.
    case notFound
    /// It changed since the caller read it.
    case changed
    /// The id stands for another record.
    case idReused
    /// The policy is there under another id.
    case insuranceKnown
    /// The person has as many as one may.
    case tooMany(most: Int64)
}

extension RecordError: RPCErrorConvertible {
    var rpcError: RPCError {
        switch self {
        case .notFound: RPCError(.notFound, "You have none with this id.")
        case .changed: RPCError(.aborted, "It changed since it was read; read it again.")
        case .idReused: RPCError(.alreadyExists, "The id was used for something else.")
        case .insuranceKnown: RPCError(.alreadyExists, "This policy of this insurer is there already.")
        case .tooMany(let most): .quota("user", "A person may have \(most) of these; take one out first.")
        }
    }
}
