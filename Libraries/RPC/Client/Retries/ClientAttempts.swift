/// The attempts of one call that may be made more than once, and which of them its caller gets (gRFC A6). It decides
/// and does nothing: it knows neither clocks nor connections, and chance is handed to it.
///
/// Attempts are numbered from 0. Sending again what a server never began is no attempt in this sense.
struct ClientAttempts {
    enum Action: Hashable {
        /// Make the attempt of this number, which is also how many were made before it.
        case start(Int)
        /// Come back with `pauseEnded` after so long. It takes the place of an earlier wish.
        case pause(Duration)
        /// The caller gets this attempt, and all others are cancelled. It is the last action.
        case commit(Int)
    }

    /// How one attempt ended.
    enum End: Hashable {
        case ok
        case failed(StatusCode, Pushback)
    }

    private enum State {
        case open
        /// The next attempt, or the one under way, is the last. Goes to `committed`.
        case last
        case committed
    }

    /// What a config may ask for at most (gRFC A6, "Limits on Retries and Hedges").
    static let limit = 5

    private let repetition: MethodConfig.Repetition
    private let maxAttempts: Int
    private var state = State.open
    private var made = 0
    private var underWay: Set<Int> = []
    /// Pauses that have grown since the first, or since the server chose one.
    private var grownPauses = 0
    /// The last failure, which is the call's when nothing better comes.
    private var failed: Int?
    private var isPausing = false
    private var hedgesNoMore = false

    init(_ repetition: MethodConfig.Repetition) {
        self.repetition = repetition
        maxAttempts =
            switch repetition {
            case .retry(let policy): min(policy.maxAttempts, ClientAttempts.limit)
            case .hedging(let policy): min(policy.maxAttempts, ClientAttempts.limit)
            }
    }

    var isCommitted: Bool { state == .committed }

    /// Whether the end counts against the channel's allowance of failures.
    func countsAsFailure(_ end: End) -> Bool {
        guard case .failed(let code, let pushback) = end else { return false }
        return pushback == .never || isPassing(code)
    }

    private func isPassing(_ code: StatusCode) -> Bool {
        switch repetition {
        case .retry(let policy): policy.retryableStatusCodes.contains(code)
        case .hedging(let policy): policy.nonFatalStatusCodes.contains(code)
        }
    }

    // MARK: Events

    /// The call begins. `mayRepeat` is what the channel's allowance says.
    mutating func begin(mayRepeat: Bool) -> [Action] {
        var actions = [start()]
        if case .hedging(let policy) = repetition {
            actions += hedge(after: policy.hedgingDelay, mayRepeat: mayRepeat)
        }
        return actions
    }

    /// The pause that was asked for is over.
    mutating func pauseEnded(mayRepeat: Bool) -> [Action] {
        guard isPausing, state != .committed else { return [] }
        isPausing = false
        if state == .last {
            let action = start()
            return [action] + commit(made - 1)
        }
        guard case .hedging(let policy) = repetition else { return [start()] }
        guard !hedgesNoMore, made < maxAttempts, mayRepeat else {
            hedgesNoMore = true
            return commitIfNothingIsLeft()
        }
        return [start()] + hedge(after: policy.hedgingDelay, mayRepeat: mayRepeat)
    }

    /// The server has begun to answer, and the caller may have seen it.
    mutating func answerBegan(_ attempt: Int) -> [Action] {
        commit(attempt)
    }

    /// An attempt has ended. `chance` from 0 to 1 chooses the pause; `mayRepeat` is what the channel's allowance says
    /// after this end was counted.
    mutating func ended(_ attempt: Int, _ end: End, chance: Double, mayRepeat: Bool) -> [Action] {
        guard state != .committed else { return [] }
        underWay.remove(attempt)
        guard case .failed(let code, let pushback) = end, isPassing(code) else { return commit(attempt) }
        failed = attempt
        if state == .last { return commit(attempt) }
        switch repetition {
        case .retry(let policy):
            guard made < maxAttempts, mayRepeat, pushback != .never else { return commit(attempt) }
            return [pause(policy, pushback, chance)]
        case .hedging(let policy):
            if pushback == .never || !mayRepeat { hedgesNoMore = true }
            guard made < maxAttempts, !hedgesNoMore else { return commitIfNothingIsLeft() }
            if case .after(let duration) = pushback {
                isPausing = true
                return [.pause(duration)]
            }
            return [start()] + hedge(after: policy.hedgingDelay, mayRepeat: mayRepeat)
        }
    }

    /// The request has become too large to be kept, so it cannot be sent once more: the attempt that has sent the most
    /// of it is the call. Without one, the next will be.
    mutating func bufferOverflowed(furthest attempt: Int?) -> [Action] {
        guard state == .open else { return [] }
        if let attempt { return commit(attempt) }
        state = .last
        return []
    }

    // MARK: Steps

    private mutating func start() -> Action {
        defer { made += 1 }
        underWay.insert(made)
        return .start(made)
    }

    private mutating func commit(_ attempt: Int) -> [Action] {
        guard state != .committed else { return [] }
        state = .committed
        isPausing = false
        underWay = []
        return [.commit(attempt)]
    }

    private mutating func pause(_ policy: RetryPolicy, _ pushback: Pushback, _ chance: Double) -> Action {
        isPausing = true
        if case .after(let duration) = pushback {
            grownPauses = 0
            return .pause(duration)
        }
        var longest = policy.initialBackoff
        // A config may name any multiplier, and no duration holds every product.
        let multiplier = min(policy.backoffMultiplier, 1_000)
        for _ in 0..<grownPauses where longest < policy.maxBackoff { longest = longest * multiplier }
        grownPauses += 1
        return .pause(min(longest, policy.maxBackoff) * chance)
    }

    /// Plans the next hedge, or starts all that are left when there is no delay between them.
    private mutating func hedge(after delay: Duration, mayRepeat: Bool) -> [Action] {
        if delay > .zero {
            guard made < maxAttempts else {
                isPausing = false
                return []
            }
            isPausing = true
            return [.pause(delay)]
        }
        guard mayRepeat else {
            hedgesNoMore = true
            return []
        }
        var actions: [Action] = []
        while made < maxAttempts { actions.append(start()) }
        return actions
    }

    private mutating func commitIfNothingIsLeft() -> [Action] {
        isPausing = false
        guard underWay.isEmpty, let failed else { return [] }
        return commit(failed)
    }
}
