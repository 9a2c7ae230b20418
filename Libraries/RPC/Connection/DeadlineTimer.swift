internal import NIOCore
internal import Time

/// Wakes its owner when the earliest of many deadlines has passed. Calls that end in time cost it nothing: it is not
/// told, and at worst wakes once in vain and is given the next deadline.
///
/// It belongs to an event loop, and has to be stopped: until then a timer that is set keeps it, and what it sweeps.
final class DeadlineTimer {
    private let timer: LoopTimer
    private var earliest: Deadline?

    init(eventLoop: any EventLoop) {
        timer = LoopTimer(eventLoop: eventLoop)
    }

    /// Sees to it that `sweep` runs when the deadline has passed. It ends whatever is late and returns the earliest
    /// deadline that is left.
    func watch(_ deadline: Deadline, sweep: @escaping @Sendable () -> Deadline?) {
        if let earliest, earliest <= deadline { return }
        earliest = deadline
        timer.set(in: max(.zero, deadline.remaining)) {
            self.earliest = nil
            if let next = sweep() { self.watch(next, sweep: sweep) }
        }
    }

    func stop() {
        timer.cancel()
        earliest = nil
    }
}
