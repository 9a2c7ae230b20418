internal import Synchronization

/// Keeps calls from a dependency that does not answer, for one of the replicas that call it.
///
/// Each replica judges by its own calls, and opens for itself alone. When more than half of the replicas that live hold that
/// the dependency fails, the others open too, except those whose own newest call has just succeeded. So a replica that is cut
/// off keeps to itself, and a dependency that is gone is found out by those that have hardly called it.
package final class CircuitBreaker: Sendable {
    /// What a call is given that may be made.
    package struct Permit: Sendable {
        /// Whether the call tries a dependency that has failed. It should not wait for long.
        package var isProbe: Bool { ticket.isProbe }
        fileprivate let ticket: BreakerState.Ticket
        fileprivate var began: ContinuousClock.Instant

        /// The call is made now: what it waited for before is not the dependency's time.
        package mutating func begin() { began = .now }

        package var elapsed: Duration { began.duration(to: .now) }
    }

    package struct Refused: Error {
        /// When the dependency may be tried again.
        package let retryAfter: Duration
    }

    package enum Standing: String, Sendable, CaseIterable {
        case closed
        case open
        case halfOpen = "half_open"
        /// Closed by this replica's own judgement, and open because the others say so.
        case openForOthers = "open_for_others"
    }

    package struct Report: Sendable {
        package let standing: Standing
        package let openings: Int
        package let refused: Int
        /// Replicas that hold that it fails, of those that live, as last heard.
        package let failingReplicas: Int
        package let liveReplicas: Int
    }

    private struct State {
        var own: BreakerState
        var opinion = Opinion()
        var refused = 0
    }

    package let name: String
    private let configuration: BreakerConfiguration
    private let began = ContinuousClock.now
    private let state: Mutex<State>

    init(_ name: String, _ configuration: BreakerConfiguration) {
        self.name = name
        self.configuration = configuration
        state = Mutex(State(own: BreakerState(configuration)))
    }

    private var now: Duration { began.duration(to: .now) }

    /// Lets a call through or not. Whoever has a permit says how the call ended.
    package func admit() throws(Refused) -> Permit {
        let instant = ContinuousClock.now
        let now = began.duration(to: instant)
        let verdict = state.withLock { state in
            let verdict = decide(&state, now)
            if case .refuse = verdict { state.refused += 1 }
            return verdict
        }
        switch verdict {
        case .pass(let ticket): return Permit(ticket: ticket, began: instant)
        case .refuse(let retryAfter): throw Refused(retryAfter: retryAfter)
        }
    }

    private func decide(_ state: inout State, _ now: Duration) -> BreakerState.Verdict {
        if isOpenForOthers(state, now) { return .refuse(retryAfter: configuration.probeInterval) }
        return state.own.admit(at: now)
    }

    private func isOpenForOthers(_ state: State, _ now: Duration) -> Bool {
        !state.own.isFailing && state.opinion.isFailing(at: now, life: configuration.verdictLife) && !state.own.sawSuccess(at: now)
    }

    /// - Parameter isTimed: Whether it says something about the dependency how long the call took. A stream goes on for as long as its caller wants.
    package func ended(_ permit: Permit, _ outcome: CallOutcome, isTimed: Bool = true) {
        let instant = ContinuousClock.now
        let now = began.duration(to: instant)
        let duration = isTimed ? permit.began.duration(to: instant) : .zero
        state.withLock { $0.own.ended(permit.ticket, outcome, took: duration, at: now) }
    }

    package var report: Report {
        let now = now
        return state.withLock { state in
            let standing: Standing =
                switch state.own.phase {
                case .closed: isOpenForOthers(state, now) ? .openForOthers : .closed
                case .open: .open
                case .halfOpen: .halfOpen
                }
            return Report(
                standing: standing, openings: state.own.openings, refused: state.refused,
                failingReplicas: state.opinion.failing, liveReplicas: state.opinion.live)
        }
    }

    // MARK: What replicas tell each other

    /// Whether this replica holds that the dependency fails, and with how many calls it would try it.
    var ownVerdict: (isFailing: Bool, wantedProbes: Int) {
        let now = now
        return state.withLock { ($0.own.isFailing, $0.own.wantedProbes(at: now)) }
    }

    func heard(live: Int, failing: Int, allowedProbes: Int) {
        let now = now
        state.withLock { state in
            state.opinion = Opinion(live: live, failing: failing, heardAt: now)
            state.own.allow(allowedProbes, at: now)
        }
    }

    /// Nothing can be heard: the replica is on its own, and tries the dependency by its own leave.
    func heardNothing(allowedProbes: Int) {
        let now = now
        state.withLock { $0.own.allow(allowedProbes, at: now) }
    }
}
