internal import NIOCore

/// Asks a silent peer for a sign of life, and gives the connection up when none comes: a host that vanished closes no
/// connection, and without this its calls would wait for their deadlines.
///
/// It belongs to an event loop. It sets one timer an interval, whatever arrives in between.
final class Keepalive {
    private let eventLoop: any EventLoop
    private var interval: Duration
    private let timeout: Duration
    private let ask: () -> Void
    private let giveUp: () -> Void
    private var hasHeard = false
    private var timer: Scheduled<Void>?
    private var isStopped = false

    /// `ask` sends a ping; `giveUp` closes the connection. Both may keep the owner alive until `stop`.
    init(
        eventLoop: any EventLoop,
        interval: Duration,
        timeout: Duration,
        ask: @escaping () -> Void,
        giveUp: @escaping () -> Void
    ) {
        self.eventLoop = eventLoop
        self.interval = interval
        self.timeout = timeout
        self.ask = ask
        self.giveUp = giveUp
    }

    /// Asks no more often than this from now on: what the peer allows.
    func askAtMostEvery(_ interval: Duration) {
        self.interval = max(self.interval, interval)
    }

    /// Bytes arrived.
    func heard() {
        hasHeard = true
    }

    /// Begins to listen; it goes on while `isNeeded`, which is asked once an interval.
    func watch(while isNeeded: @escaping () -> Bool) {
        guard timer == nil, !isStopped else { return }
        hasHeard = false
        wait(interval) { keepalive in
            guard isNeeded() else { return }
            if keepalive.hasHeard {
                keepalive.watch(while: isNeeded)
                return
            }
            keepalive.ask()
            keepalive.wait(keepalive.timeout) { keepalive in
                if keepalive.hasHeard { keepalive.watch(while: isNeeded) } else { keepalive.giveUp() }
            }
        }
    }

    func stop() {
        isStopped = true
        timer?.cancel()
        timer = nil
    }

    private func wait(_ duration: Duration, _ then: @escaping (Keepalive) -> Void) {
        timer = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(duration)) {
            self.timer = nil
            then(self)
        }
    }
}
