internal import Application
internal import FoundationEssentials
internal import Time

/// Which message comes piece by piece.
struct NewDraft: Hashable, Sendable {
    let session: SessionID
    let clientID: ClientID
    let speaker: Speaker
    let metadata: MessageMetadata
}

/// What is kept of a message that has not been ended.
struct Draft: Hashable, Sendable {
    let session: SessionID
    let clientID: String
    let speaker: Speaker
    let metadata: MessageMetadata
    let content: String
    let createdAt: Instant
    let updatedAt: Instant
}

/// How far a message has come.
enum DraftProgress: Hashable, Sendable {
    /// So many bytes of it are kept.
    case kept(Int)
    /// The conversation has it.
    case message(ChatMessage)
}

/// The pieces of a message in their order: which of them continue it, and which were not kept yet.
struct PieceSequence: Sendable {
    /// As many bytes as 100,000 characters take at most.
    static let maxBytes = 400_000

    /// How many bytes have come, those that were kept before this call included.
    private(set) var length: Int
    /// How many characters have come in this call.
    private var characters = 0
    /// What has come and was not taken yet, and where it begins.
    private var waiting = ""
    private var waitingOffset: Int

    init(kept: Int) {
        length = kept
        waitingOffset = kept
    }

    /// Adds a piece. One that has come already is passed over.
    ///
    /// - Throws: `ChatError.pieceOutOfPlace` for one that begins elsewhere than at the end, or only in part behind it; `.messageTooLong` for more than
    ///   a message may have, which is also what is kept at once at most.
    mutating func add(_ text: String, at offset: Int) throws(ChatError) {
        let bytes = text.utf8.count
        guard offset != length else {
            let all = characters + text.codePointCount
            guard all <= MessageContent.maxCharacters else { throw .messageTooLong }
            characters = all
            waiting += text
            length += bytes
            return
        }
        guard offset >= 0, offset < length, bytes <= length - offset else { throw .pieceOutOfPlace(kept: length) }
    }

    /// What was not taken yet; `nil` if there is nothing.
    mutating func take() -> (text: String, offset: Int)? {
        guard !waiting.isEmpty else { return nil }
        defer {
            waiting = ""
            waitingOffset = length
        }
        return (waiting, waitingOffset)
    }
}
