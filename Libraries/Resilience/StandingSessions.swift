internal import FoundationEssentials
internal import Synchronization
internal import Time

/// The sessions that a program knows to stand, so that it does not ask of each at every call.
///
/// It has asked of each once, and follows the list of revocations since. What it knows is good for `lease` behind the moment at which it last asked what has
/// changed, and whoever revokes waits for as long before that is acknowledged (Gray and Cheriton, "Leases", SOSP 1989). So nothing that it says is older than
/// a revocation that was acknowledged, whatever becomes of Redis and of the network meanwhile; of clocks only the pace has to agree.
final class StandingSessions: Sendable {
    /// Up to where the list of revocations is known.
    struct Place: Hashable {
        /// Another one each time the list was filled.
        let filling: String
        /// How many revocations have been told.
        let changes: Int64
    }

    let lease: Duration
    private let state = Mutex(State())
    /// So long behind its asking a session is asked for anew, whatever was told: a program that does not tell of its changes is heard of then.
    private static let longest = Duration.seconds(5)
    /// Nobody is followed for who has not been asked for as long.
    private static let idle = Duration.seconds(1)
    private static let most = 65_536

    private struct State {
        var place: Place?
        var until = ContinuousClock.now
        var usedAt = ContinuousClock.now
        var sessions: [UUID: Session] = [:]
    }

    private struct Session {
        let account: UUID
        let askedAt: ContinuousClock.Instant
    }

    init(lease: Duration) { self.lease = lease }

    /// Whether a session of an account is known to stand.
    func contains(_ session: UUID, of account: UUID, at now: ContinuousClock.Instant = .now) -> Bool {
        state.withLock { state in
            guard now < state.until, let known = state.sessions[session], known.account == account, now < known.askedAt + Self.longest
            else { return false }
            state.usedAt = now
            return true
        }
    }

    /// A session stood when the list was at a place; `askedAt` is before the question was sent.
    func learn(_ session: UUID, of account: UUID, at place: Place, askedAt: ContinuousClock.Instant) {
        state.withLock { state in
            if state.place?.filling != place.filling {
                state.sessions = [:]
                (state.place, state.until) = (place, askedAt)
            }
            guard let known = state.place, place.changes >= known.changes else { return }
            if place == known { state.until = max(state.until, askedAt + lease) }
            if state.sessions.count >= Self.most {
                state.sessions = state.sessions.filter { askedAt < $0.value.askedAt + Self.longest }
                if state.sessions.count >= Self.most { state.sessions = [:] }
            }
            state.sessions[session] = Session(account: account, askedAt: askedAt)
            state.usedAt = askedAt
        }
    }

    /// From where changes are to be asked for; `nil` while nobody needs to know.
    func placeToFollow(at now: ContinuousClock.Instant = .now) -> Place? {
        state.withLock { state in now < state.usedAt + Self.idle && !state.sessions.isEmpty ? state.place : nil }
    }

    /// What was told between two places; `askedAt` is before that was asked for.
    func follow(_ told: [(id: UUID, upTo: UUID?)], from: Place, to place: Place, askedAt: ContinuousClock.Instant) {
        state.withLock { state in
            // Something else was learnt meanwhile.
            guard state.place == from else { return }
            guard place.filling == from.filling, place.changes - from.changes == told.count else {
                state = State()
                return
            }
            state.place = place
            state.until = max(state.until, askedAt + lease)
            var accounts: [UUID: String] = [:]
            for revocation in told {
                if let upTo = revocation.upTo?.text {
                    accounts[revocation.id] = max(accounts[revocation.id] ?? "", upTo)
                } else {
                    state.sessions[revocation.id] = nil
                }
            }
            guard !accounts.isEmpty else { return }
            state.sessions = state.sessions.filter { session, known in
                guard let upTo = accounts[known.account] else { return true }
                return session.text > upTo
            }
        }
    }

    func forget() {
        state.withLock { $0 = State() }
    }
}
