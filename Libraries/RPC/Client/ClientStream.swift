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
    private var goAwaysLeft = ClientStream.maxGoAways
    /// Whether everything that was sent can be sent again.
    var canBeRepeated = true

    /// How it is known that no server has begun the call.
    enum Unseen {
        /// It never left.
        case neverLeft
        /// A GOAWAY named an earlier call as the last. It takes its connection with it, so the call meets another.
        case leftOut
        /// The server reset it with REFUSED_STREAM.
        case refused
    }

    /// More than a few in a row are no coincidence of restarts.
    private static let maxGoAways = 5

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

    /// No server has begun the call. Whether to send it again (gRFC A6, "Transparent Retries").
    mutating func unseen(_ how: Unseen) -> Bool {
        guard answer == .waiting, canBeRepeated else { return false }
        switch how {
        case .neverLeft: break
        case .leftOut:
            guard goAwaysLeft > 0 else { return false }
            goAwaysLeft -= 1
        case .refused:
            guard retriesLeft > 0 else { return false }
            retriesLeft -= 1
        }
        answer = .unsent
        return true
    }
}
