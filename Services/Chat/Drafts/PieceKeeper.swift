internal import FoundationEssentials
internal import Synchronization

/// Keeps the pieces of one message while more of them come.
///
/// What comes while a piece is being kept is kept together next, so that a fast writer costs no more commits than the database makes.
struct PieceKeeper: Sendable {
    let draft: NewDraft
    let drafts: DraftRepository
    let user: UUID

    /// What a caller does next.
    enum Step: Sendable {
        case piece(String, offset: Int)
        case ending(length: Int)
    }

    private final class Pieces: Sendable {
        private let sequence: Mutex<PieceSequence>
        /// An element whenever a piece has come; ends when none comes any more.
        let news: AsyncStream<Void>
        private let teller: AsyncStream<Void>.Continuation

        init(kept: Int) {
            sequence = Mutex(PieceSequence(kept: kept))
            (news, teller) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        }

        func add(_ text: String, at offset: Int) throws(ChatError) {
            try sequence.withLock { sequence throws(ChatError) in try sequence.add(text, at: offset) }
            teller.yield()
        }

        func take() -> (text: String, offset: Int)? { sequence.withLock { $0.take() } }
        func finish() { teller.finish() }
    }

    /// Keeps what comes until it is ended or nothing more comes, and tells how much is kept whenever more is. Returns how long the message is
    /// if it was ended. What was kept before an error stays.
    func keep(
        from kept: Int, next: @escaping @Sendable () async throws -> Step?, progress: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> Int? {
        let pieces = Pieces(kept: kept)
        return try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask {
                defer { pieces.finish() }
                while let step = try await next() {
                    switch step {
                    case .piece(let text, let offset): try pieces.add(text, at: offset)
                    case .ending(let length): return length
                    }
                }
                return nil
            }
            group.addTask {
                for await _ in pieces.news { try await keepWaiting(pieces, progress) }
                // The last may have come with the end.
                try await keepWaiting(pieces, progress)
                return nil
            }
            var length: Int?
            do {
                while let ended = try await group.next() { length = ended ?? length }
            } catch {
                group.cancelAll()
                throw error
            }
            return length
        }
    }

    private func keepWaiting(_ pieces: Pieces, _ progress: @Sendable (Int) async throws -> Void) async throws {
        guard let (text, offset) = pieces.take() else { return }
        try await drafts.add(text, at: offset, to: draft, of: user)
        try await progress(offset + text.utf8.count)
    }
}
