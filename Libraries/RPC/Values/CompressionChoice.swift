internal import Synchronization

/// Whether an answer is packed. It may be asked for until the head of the answer leaves, which says so or does not; what
/// the head did not announce cannot follow.
struct CompressionChoice: ~Copyable, Sendable {
    private let state = Atomic(State.open)

    enum State: UInt8, AtomicRepresentable {
        /// Nobody has asked; goes to `asked` or `declined`.
        case open
        case asked
        /// The head left without it.
        case declined
    }

    /// Whether messages are packed unless told otherwise.
    var isAsked: Bool { state.load(ordering: .relaxed) == .asked }

    /// Asks for packed messages. `false` when it is too late.
    @discardableResult
    func ask() -> Bool {
        let (exchanged, original) = state.compareExchange(expected: .open, desired: .asked, ordering: .relaxed)
        return exchanged || original == .asked
    }

    /// The head of the answer leaves. Whether it has to announce packed messages.
    func settle() -> Bool {
        state.compareExchange(expected: .open, desired: .declined, ordering: .relaxed).original == .asked
    }
}
