internal import Synchronization

/// Names one COPY between the task that has its data and the connection that runs it.
///
/// Both sides may come first: data that is offered before the connection has begun waits for it.
final class CopyChannel: Sendable {
    enum Direction: Sendable { case toServer, fromServer }

    let direction: Direction
    /// Nothing is moved any more.
    let hasEnded = Atomic<Bool>(false)

    init(_ direction: Direction) { self.direction = direction }
}

/// What a connection knows of the COPY that it runs.
struct RunningCopy {
    enum Phase {
        /// The server has not agreed yet. Next: moving or over.
        case asked
        /// Data may be moved. Next: over.
        case moving
        /// The data has ended, or is not wanted any more; the server's answer is to come.
        case over
    }

    /// What the side with the data wants next. There is one of it at a time.
    enum Wish {
        case put([UInt8], CheckedContinuation<Bool, Never>)
        /// Handed to libpq, which has not written it to the socket.
        case written(CheckedContinuation<Bool, Never>)
        case take(CheckedContinuation<[UInt8]?, Never>)
    }

    /// How the data is to end, until libpq has taken it.
    enum Ending {
        case complete
        /// The server is to take nothing of it, for this reason.
        case failed(String)
    }

    let channel: CopyChannel
    var phase = Phase.asked
    var wish: Wish?
    var ending: Ending?
    /// The reader has left.
    var isUnwanted = false

    /// Answers who waits: there will be no more of it.
    mutating func release() {
        phase = .over
        switch wish {
        case .put(_, let continuation), .written(let continuation): continuation.resume(returning: false)
        case .take(let continuation): continuation.resume(returning: nil)
        case nil: break
        }
        wish = nil
    }
}
