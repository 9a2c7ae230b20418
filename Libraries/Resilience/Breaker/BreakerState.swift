/// How a call of a dependency ended, as far as it says something about the dependency.
package enum CallOutcome: Sendable, Hashable {
    case succeeded
    case failed
    /// It says nothing: the caller went away, or was in too much of a hurry.
    case neutral
}

/// One replica's own judgement of one dependency. A value that knows no clock: moments are durations since some beginning.
struct BreakerState: Sendable {
    enum Phase: Sendable, Equatable {
        /// Calls are made and judged. Goes to `open`.
        case closed
        /// No calls are made until then. Goes to `halfOpen` when one has been allowed.
        case open(until: Duration)
        /// A few calls try it. Goes to `closed` when enough have succeeded, to `open` when one has failed.
        case halfOpen
    }

    /// Given to each call that is let through; says under which circumstances it was.
    struct Ticket: Sendable {
        let isProbe: Bool
        fileprivate let era: Int
    }

    enum Verdict: Sendable {
        case pass(Ticket)
        case refuse(retryAfter: Duration)
    }

    private let configuration: BreakerConfiguration
    private(set) var phase = Phase.closed
    private var window: CallWindow
    /// Counts the changes of phase: what began in another era says nothing about this one.
    private var era = 0
    private var allowedProbes = 0
    private var runningProbes = 0
    private var succeededProbes = 0
    /// How the newest call that says something went, and when it ended.
    private var newest: (succeeded: Bool, at: Duration)?
    /// How often it has opened.
    private(set) var openings = 0

    init(_ configuration: BreakerConfiguration) {
        self.configuration = configuration
        window = CallWindow(configuration.window)
    }

    /// Whether this replica holds that the dependency fails.
    var isFailing: Bool { phase != .closed }

    /// Whether this replica has just seen the dependency work.
    func sawSuccess(at now: Duration) -> Bool {
        guard let newest, newest.succeeded else { return false }
        return now - newest.at <= configuration.vetoLife
    }

    /// How many more calls may try the dependency, if all replicas together allow it.
    func wantedProbes(at now: Duration) -> Int {
        switch phase {
        case .closed: return 0
        case .open(let until) where now < until: return 0
        case .open, .halfOpen: return max(0, configuration.probes - succeededProbes - runningProbes - allowedProbes)
        }
    }

    mutating func allow(_ probes: Int, at now: Duration) {
        allowedProbes += min(probes, wantedProbes(at: now))
    }

    mutating func admit(at now: Duration) -> Verdict {
        switch phase {
        case .closed:
            return .pass(Ticket(isProbe: false, era: era))
        case .open(let until) where now < until:
            return .refuse(retryAfter: until - now)
        case .open, .halfOpen:
            guard allowedProbes > 0 else { return .refuse(retryAfter: configuration.probeInterval) }
            allowedProbes -= 1
            runningProbes += 1
            phase = .halfOpen
            return .pass(Ticket(isProbe: true, era: era))
        }
    }

    mutating func ended(_ ticket: Ticket, _ outcome: CallOutcome, took duration: Duration, at now: Duration) {
        guard ticket.era == era else { return }
        if ticket.isProbe { runningProbes -= 1 }
        guard outcome != .neutral else { return }
        let isSlow = duration >= configuration.slowCall
        newest = (outcome == .succeeded, now)
        if ticket.isProbe {
            probeEnded(succeeded: outcome == .succeeded && !isSlow, at: now)
        } else {
            window.record(isFailure: outcome == .failed, isSlow: isSlow, at: now)
            if outcome == .failed || isSlow { judge(at: now) }
        }
    }

    private mutating func judge(at now: Duration) {
        let judgement = window.judge(
            minimumCalls: configuration.minimumCalls, minimumSpan: configuration.minimumSpan, at: now)
        guard judgement.calls >= configuration.minimumCalls, judgement.span >= configuration.minimumSpan else { return }
        let calls = Double(judgement.calls)
        if Double(judgement.failures) >= calls * configuration.failureShare
            || Double(judgement.slow) >= calls * configuration.slowShare
        {
            open(at: now)
        }
    }

    private mutating func probeEnded(succeeded: Bool, at now: Duration) {
        guard succeeded else { return open(at: now) }
        succeededProbes += 1
        guard succeededProbes >= configuration.probes else { return }
        enter(.closed)
        window = CallWindow(configuration.window)
    }

    private mutating func open(at now: Duration) {
        openings += 1
        enter(.open(until: now + configuration.openTime))
    }

    private mutating func enter(_ phase: Phase) {
        self.phase = phase
        era += 1
        (allowedProbes, runningProbes, succeededProbes) = (0, 0, 0)
    }
}
