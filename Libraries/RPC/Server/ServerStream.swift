/// How far the answer to one call has come. It decides which frames may still be sent, and sends none itself.
struct ServerStream {
    private enum Answer {
        /// Nothing was sent; goes to `begun` or `ended`.
        case waiting
        /// Headers were sent; goes to `ended`.
        case begun
        /// The status was sent, or nobody waits for it.
        case ended
    }

    private var answer = Answer.waiting

    var isEnded: Bool { answer == .ended }

    enum Sending: Hashable {
        case headersFirst
        case messageAlone
        case nothing
    }

    /// A message, or headers ahead of the first, are about to be sent.
    mutating func send() -> Sending {
        switch answer {
        case .waiting:
            answer = .begun
            return .headersFirst
        case .begun: return .messageAlone
        case .ended: return .nothing
        }
    }

    enum Ending: Hashable {
        /// One block of headers is the whole answer.
        case trailersOnly
        case trailers
        case nothing
    }

    /// The call is over; its status is about to be sent.
    mutating func end() -> Ending {
        defer { answer = .ended }
        switch answer {
        case .waiting: return .trailersOnly
        case .begun: return .trailers
        case .ended: return .nothing
        }
    }

    /// The headers that `send` called for could not be written, so the status takes their place.
    mutating func unsend() {
        if answer == .begun { answer = .waiting }
    }

    /// The stream is gone, so nothing can be sent any more.
    mutating func abandon() {
        answer = .ended
    }
}
