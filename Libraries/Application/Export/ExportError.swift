package import RPC

/// Why nothing is told of a person's records.
package enum ExportError: Error, Hashable {
    /// It is none that a part before has given.
    case noSuchPlace
}

extension ExportError: RPCErrorConvertible {
    package var rpcError: RPCError {
        switch self {
        case .noSuchPlace: RPCError(.invalidArgument, "This is no place that a part of an export has given.")
        }
    }
}
