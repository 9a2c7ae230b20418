internal import Application
internal import RPC

/// What can go wrong with what an agent keeps, apart from a field that breaks a rule and a database that is away.
enum CheckpointError: Error, Hashable {
    /// There is no such thread, or it is somebody else's: the two must look the same from outside.
    case threadNotFound
    case checkpointNotFound
    case targetExists
    case stateTooLarge(Int)
    case tooManyWrites
    /// A checkpoint that has, with what was written behind it, more than an answer takes.
    case tooLarge
    /// Others changed the thread whenever this call was about to.
    case tooBusy
    /// What is kept does not come out as it went in.
    case damaged
}

extension CheckpointError: RPCErrorConvertible {
    var rpcError: RPCError {
        switch self {
        case .threadNotFound: RPCError(.notFound, "You have no thread with this id.")
        case .checkpointNotFound: RPCError(.notFound, "You have no such checkpoint.")
        case .targetExists: RPCError(.alreadyExists, "You have a thread with the id of the target already.")
        case .stateTooLarge(let bytes):
            RPCError(
                .failedPrecondition,
                "The values of a checkpoint may take \(NewCheckpoint.maxStateBytes) bytes together; these would take \(bytes).")
        case .tooManyWrites:
            RPCError(.failedPrecondition, "A task may write \(CheckpointStore.maxWritesOfTask) values behind a checkpoint, of 16 MiB together.")
        case .tooLarge:
            RPCError(.failedPrecondition, "The checkpoint and what tasks have written behind it take more than an answer may, which is 60 MiB.")
        case .tooBusy: RPCError(.aborted, "Others are changing this thread. Try again.")
        case .damaged: RPCError(.dataLoss, "What is kept of this thread is damaged.")
        }
    }
}
