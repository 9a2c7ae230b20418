internal import NIOCore

/// Retires a server's connection after its time (gRFC A9): when it is old, so that clients spread over new replicas, or
/// when nobody has called on it for long. Either way it drains as at a shutdown, so no call is lost to it; what an old
/// connection has not ended within the grace is ended.
///
/// It belongs to an event loop, and costs a call one addition.
final class ConnectionAge {
    struct Limits: Sendable, Hashable {
        var maxAge: Duration?
        var grace: Duration
        var maxIdle: Duration?
    }

    enum Event: Hashable {
        /// Let the calls end, and take no more.
        case drain
        /// Their time is over.
        case close
    }

    private let limits: Limits
    private let act: (Event) -> Void
    private var callsBegun: UInt64 = 0
    /// Only for what there is a limit to.
    private let ageTimer: LoopTimer?
    private let idleTimer: LoopTimer?

    /// `act` may keep the owner alive until `stop`.
    init(eventLoop: any EventLoop, limits: Limits, act: @escaping (Event) -> Void) {
        ageTimer = limits.maxAge.map { _ in LoopTimer(eventLoop: eventLoop) }
        idleTimer = limits.maxIdle.map { _ in LoopTimer(eventLoop: eventLoop) }
        self.limits = limits
        self.act = act
    }

    /// Begins to count. `chance` from 0 to 1 says where in its tenth up or down the age falls: connections that began
    /// together must not end together.
    func begin(chance: Double, hasCalls: @escaping () -> Bool) {
        if let maxAge = limits.maxAge {
            let age = ConnectionAge.jittered(maxAge, chance: chance)
            ageTimer?.set(in: age) {
                self.act(.drain)
                self.ageTimer?.set(in: self.limits.grace) { self.act(.close) }
            }
        }
        if let maxIdle = limits.maxIdle { watchIdle(maxIdle, hasCalls) }
    }

    /// A call has begun.
    func callBegan() {
        callsBegun &+= 1
    }

    func stop() {
        ageTimer?.cancel()
        idleTimer?.cancel()
    }

    static func jittered(_ age: Duration, chance: Double) -> Duration {
        age * (0.9 + 0.2 * chance)
    }

    /// Looks twice in the time: a connection without calls at both ends of a half that saw none begin is idle.
    private func watchIdle(_ maxIdle: Duration, _ hasCalls: @escaping () -> Bool, _ idleHalves: Int = 0) {
        let before = callsBegun
        idleTimer?.set(in: maxIdle / 2) {
            let isIdle = !hasCalls() && self.callsBegun == before
            if isIdle, idleHalves == 1 {
                self.act(.drain)
            } else {
                self.watchIdle(maxIdle, hasCalls, isIdle ? 1 : 0)
            }
        }
    }
}
