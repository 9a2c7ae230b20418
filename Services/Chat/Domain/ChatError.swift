internal import Application
internal import Contracts
internal import RPC

/// What can go wrong in a conversation, apart from a field that breaks a rule and a database that is away.
enum ChatError: Error, Hashable {
    /// There is no such session, or it is somebody else's: the two must look the same from outside.
    case sessionNotFound(SessionID)
    /// What a session's archive keeps is not what was archived.
    case archiveDamaged
    /// A session whose messages are more than one archive takes.
    case sessionTooLarge
    case messageNotFound
    case memoryNotFound
    /// Another took the place of the memory first.
    case memorySuperseded
    case tooManyMemories
    /// The id of a verification is another message's.
    case verificationExists
    case tooManyDrafts
    /// Another call goes on with the draft.
    case draftContested
    /// The piece does not begin where what is kept ends.
    case pieceOutOfPlace(kept: Int)
    /// More characters came than a message may have.
    case messageTooLong
    /// What was ended is not as long as what is kept.
    case draftIncomplete(kept: Int)
}

extension ChatError: RPCErrorConvertible {
    var rpcError: RPCError {
        switch self {
        case .sessionNotFound: RPCError(.notFound, "You have no session with this id.")
        case .archiveDamaged: RPCError(.dataLoss, "What is archived of this session is damaged.")
        case .sessionTooLarge: RPCError(.failedPrecondition, "This session has more messages than one archive takes.")
        case .messageNotFound: RPCError(.notFound, "The session has no message with this id.")
        case .memoryNotFound: RPCError(.notFound, "You have no memory with this id.")
        case .memorySuperseded: RPCError(.aborted, "Another memory took the place of this one first. Read its history and decide anew.")
        case .tooManyMemories:
            .quota("user", "There are \(MemoryRepository.mostKept) memories, history included, which is the most. Forget some.")
        case .verificationExists: RPCError(.alreadyExists, "Another message has a verification with this id.")
        case .tooManyDrafts:
            .quota("session", "The session has \(DraftRepository.mostKept) messages that were not ended, which is the most. End or discard one.")
        case .draftContested: RPCError(.aborted, "Another call goes on with this message. Begin it again to see how far it has come.")
        case .pieceOutOfPlace(let kept):
            RPCError(.outOfRange, "The piece does not begin where what is kept ends, which is at byte \(kept).")
        case .messageTooLong: .invalid([("piece.text", "A message has at most 100,000 characters.")])
        case .draftIncomplete(let kept): RPCError(.outOfRange, "The message does not end where what is kept ends, which is at byte \(kept).")
        }
    }
}
