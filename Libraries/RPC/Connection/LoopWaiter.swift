/// A task that waits for what an event loop will tell it. Its cancellation may reach the loop before the wait itself does.
final class LoopWaiter<Answer: Sendable>: @unchecked Sendable {
    // Touched on the event loop alone.
    var continuation: CheckedContinuation<Answer, Never>?
    var isCancelled = false
}
