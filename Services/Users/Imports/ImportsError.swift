internal import Application
internal import Contracts
internal import RPC

/// Everything that can go wrong with imports beyond a malformed request and a store that is down.
enum ImportsError: Error, Hashable {
    case notFound
    /// The client id stands for an import of another file.
    case clientIDUsed
    /// Another of the person's is under way.
    case underWay
    /// As many are kept as one may have.
    case tooMany
    /// Bytes came that are behind the next one: this.
    case gap(next: Int64)
    /// The file is not what it should be; why, in a sentence.
    case unusable(String)
}

extension ImportsError: RPCErrorConvertible {
    var rpcError: RPCError {
        switch self {
        case .notFound: RPCError(.notFound, "You have no import with this id; it may have expired.")
        case .clientIDUsed: RPCError(.alreadyExists, "The client id was used for an import of another file.")
        case .underWay: RPCError(.failedPrecondition, "Another import of yours is under way; finish it or delete it.")
        case .tooMany: .quota("user", "A person may have \(Import.most) imports; delete one first.")
        case .gap(let next): RPCError(.outOfRange, "The next byte of the file is number \(next), from 0.")
        case .unusable(let reason):
            // Not by `.invalid`: the sentence is the failure that the import shows from then on.
            RPCError(.invalidArgument, reason, details: [GoogleRPC.BadRequest(fieldViolations: [.init(field: "content", description_p: reason)])])
        }
    }
}
