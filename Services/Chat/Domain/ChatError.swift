internal import Application
internal import RPC

/// What can go wrong in a conversation, apart from a field that breaks a rule and a database that is away.
enum ChatError: Error, Hashable {
    /// There is no such session, or it is somebody else's: the two must look the same from outside.
    case sessionNotFound(SessionID)
    /// What a session's archive keeps is not what was archived.
    case archiveDamaged
}

extension ChatError: RPCErrorConvertible {
    var rpcError: RPCError {
        switch self {
        case .sessionNotFound: RPCError(.notFound, "You have no session with this id.")
        case .archiveDamaged: RPCError(.dataLoss, "What is archived of this session is damaged.")
        }
    }
}
