internal import Synchronization

/// Notifications on their way from a connection's queue to the one task that reads them.
final class Mailbox: Sendable {
    enum Item: Sendable, Equatable {
        case notification(Notification)
        /// More came than the mailbox holds: what it held is gone, and what comes next is told again.
        case overflow
        /// There will be no more.
        case broken
        /// The reader's task was cancelled.
        case cancelled
    }

    private struct State {
        var notifications: [Notification] = []
        var first = 0
        var hasOverflowed = false
        var hasEnded = false
        var reader: CheckedContinuation<Item, Never>?

        mutating func take() -> Item? {
            if hasOverflowed {
                hasOverflowed = false
                return .overflow
            }
            guard first < notifications.count else { return hasEnded ? .broken : nil }
            defer {
                first += 1
                if first == notifications.count {
                    notifications.removeAll(keepingCapacity: true)
                    first = 0
                }
            }
            return .notification(notifications[first])
        }
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) { self.capacity = capacity }

    func put(_ notification: Notification) {
        change { state in
            if state.notifications.count - state.first >= capacity {
                state.notifications.removeAll(keepingCapacity: true)
                state.first = 0
                state.hasOverflowed = true
            } else {
                // A reader who is never quite done would otherwise leave all that he has read where it is.
                if state.first >= capacity {
                    state.notifications.removeFirst(state.first)
                    state.first = 0
                }
                state.notifications.append(notification)
            }
        }
    }

    /// Notifications that are kept, those included that were read and whose room is not free yet.
    var keptCount: Int { state.withLock { $0.notifications.count } }

    func end() { change { $0.hasEnded = true } }

    /// Waits for the next item.
    func next() async -> Item {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let item = state.withLock { state -> Item? in
                    if Task.isCancelled { return .cancelled }
                    if let item = state.take() { return item }
                    state.reader = continuation
                    return nil
                }
                if let item { continuation.resume(returning: item) }
            }
        } onCancel: {
            state.withLock { $0.reader.take() }?.resume(returning: .cancelled)
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let (reader, item) = state.withLock { state -> (CheckedContinuation<Item, Never>?, Item?) in
            body(&state)
            guard state.reader != nil, let item = state.take() else { return (nil, nil) }
            return (state.reader.take(), item)
        }
        if let reader, let item { reader.resume(returning: item) }
    }
}
