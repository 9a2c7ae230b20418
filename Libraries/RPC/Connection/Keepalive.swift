internal import NIOCore

/// Asks a silent peer for a sign of life, and gives the connection up when none comes: a host that vanished closes no
/// connection, and without this its calls would wait for their deadlines.
///
/// It belongs to an event loop. It sets one timer an interval, whatever arrives in between.
final class Keepalive {
    private let timer: LoopTimer
    private var interval: Duration
    private let timeout: Duration
    private let ask: () -> Void
    private let giveUp: () -> Void
    private var isNeeded: () -> Bool = { false }
    private var hasHeard = false
    private var isStopped = false

    /// `ask` sends a ping; `giveUp` closes the connection. Both may keep the owner alive until `stop`.
    init(
        eventLoop: any EventLoop,
        interval: Duration,
        timeout: Duration,
        ask: @escaping () -> Void,
        giveUp: @escaping () -> Void
    ) {
        timer = LoopTimer(eventLoop: eventLoop)
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
        guard !timer.isSet, !isStopped else { return }
        self.isNeeded = isNeeded
        listen()
    }

    private func listen() {
        hasHeard = false
        timer.set(in: interval) { self.intervalEnded() }
    }

    private func intervalEnded() {
        guard isNeeded() else { return }
        if hasHeard { return listen() }
        ask()
        timer.set(in: timeout) { self.timeoutEnded() }
    }

    private func timeoutEnded() {
        if hasHeard { listen() } else { giveUp() }
    }

    func stop() {
        isStopped = true
        timer.cancel()
        isNeeded = { false }
    }
}
