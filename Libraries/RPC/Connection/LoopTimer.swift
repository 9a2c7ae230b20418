internal import NIOCore

/// A timer of an event loop that is set again and again. A connection has several, and each of NIO's scheduled tasks is a future with its
/// promise and five closures; this is one object.
///
/// A timer that is set is kept by its loop, with whatever its action keeps, until it has fired or was cancelled.
@safe
final class LoopTimer: NIOScheduledCallbackHandler, @unchecked Sendable {
    // Everything mutable is touched on the event loop alone.
    private let eventLoop: any EventLoop
    private var callback: NIOScheduledCallback?
    private var action: (() -> Void)?

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    var isSet: Bool { callback != nil }

    /// Has the action run once after a time, and nothing of what was to run before.
    func set(in duration: Duration, _ action: @escaping () -> Void) {
        cancel()
        // A loop that takes none is being shut down, and whoever waits on it with it.
        guard let callback = try? eventLoop.scheduleCallback(at: eventLoop.now + TimeAmount(duration), handler: self) else { return }
        self.callback = callback
        self.action = action
    }

    func cancel() {
        guard let callback else { return }
        self.callback = nil
        action = nil
        callback.cancel()
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        let action = action
        callback = nil
        self.action = nil
        action?()
    }
}
