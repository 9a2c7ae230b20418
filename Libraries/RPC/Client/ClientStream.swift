/// How far a call has come, seen from its caller. It decides what an event means for the call, and sends nothing.
struct ClientStream {
    private enum Answer {
        /// Not on any connection; goes to `waiting` or `ended`.
        case unsent
        /// Sent; goes to `begun`, `ended`, or back to `unsent` when the server never looked at it.
        case waiting
        /// Headers arrived; goes to `ended`.
        case begun
        case ended
    }

    private var answer = Answer.unsent
    private var retriesLeft: Int
    /// Whether everything that was sent can be sent again.
    var canBeRepeated = true

    init(maxTransparentRetries: Int) {
        retriesLeft = maxTransparentRetries
    }

    var isEnded: Bool { answer == .ended }
    var expectsFirstHeaders: Bool { answer == .waiting }

    mutating func sent() {
        if answer == .unsent { answer = .waiting }
    }

    mutating func begun() {
        if answer == .waiting { answer = .begun }
        canBeRepeated = false
    }

    /// Whether this is the first end of the call.
    mutating func end() -> Bool {
        defer { answer = .ended }
        return answer != .ended
    }

    /// The server says that it never began the call. Whether to send it again.
    mutating func refused() -> Bool {
        guard answer == .waiting, canBeRepeated, retriesLeft > 0 else { return false }
        retriesLeft -= 1
        answer = .unsent
        return true
    }
}
