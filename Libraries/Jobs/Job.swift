/// What a job is called in Redis: arq's `_job_id`.
package struct JobID: RawRepresentable, Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }
    package init(stringLiteral value: String) { rawValue = value }

    package var description: String { rawValue }
}

/// A kind of work that is done later, by whoever has a hand free: its name, which is the function's name for arq, what it is given, and
/// what is to happen when it fails. Declared once and used by those who enqueue and those who run it:
///
///     static let refresh = Job<Void?>("refresh_statistics", timeout: .seconds(60))
///
/// A payload names what it is about by ids; what is personal stays in the tables, where row-level security guards it.
package struct Job<Payload: Codable & Sendable>: Sendable {
    package let name: String
    package var priority: JobPriority
    package var retries: RetryPolicy
    /// After this a run is cancelled and counts as failed.
    package var timeout: Duration
    /// How long the result can be asked for; nil keeps none.
    package var resultLife: Duration?
    /// How many runs may begin in a time; nil: any.
    package var rate: JobRate?
    /// While a job with this key is queued or runs, another is not taken. The key is free again the moment the job has ended.
    package var uniqueKey: (@Sendable (Payload) -> String)?

    package init(
        _ name: String, priority: JobPriority = .normal, retries: RetryPolicy = RetryPolicy(), timeout: Duration = .seconds(300),
        resultLife: Duration? = .seconds(3_600), rate: JobRate? = nil, uniqueKey: (@Sendable (Payload) -> String)? = nil
    ) {
        self.name = name
        self.priority = priority
        self.retries = retries
        self.timeout = timeout
        self.resultLife = resultLife
        self.rate = rate
        self.uniqueKey = uniqueKey
    }
}

/// How many runs of a kind of job may begin in a time, in all workers of the queue together: for what somebody else limits, such as a
/// provider of messages.
///
/// Each run that finds the kind busy gets a moment of its own, `window / runs` behind the one before it, and begins then or, by as much as
/// workers look for work, later. It stands in the queue until then, in nobody's way, and that is no try. An arq worker knows nothing of it.
package struct JobRate: Sendable, Hashable {
    package let runs: Int
    package let window: Duration

    package init(_ runs: Int, per window: Duration) {
        precondition(runs > 0 && window > .zero, "a rate needs a window and at least one run")
        self.runs = runs
        self.window = window
    }

    /// Between the moments of two runs.
    var spacing: Duration { window / runs }
}

/// Which line a job stands in. Each is a queue of its own, so an arq worker can serve any one of them; ours takes from `high` first, and
/// at every eighth look from `low` first, so that none waits for ever.
package enum JobPriority: String, CaseIterable, Sendable, Hashable {
    case high, normal, low

    func queue(_ name: String) -> String { self == .normal ? name : "\(name):\(rawValue)" }
}

/// How often a job that fails is run, and when again: after a delay that doubles from run to run, of which a random part between half and
/// all is waited, so that what failed together does not come back together.
package struct RetryPolicy: Sendable, Hashable {
    package var maximumTries: Int
    package var delays: ClosedRange<Duration>

    package init(maximumTries: Int = 5, delays: ClosedRange<Duration> = .seconds(1) ... .seconds(600)) {
        precondition(maximumTries > 0, "a job is tried once at least")
        self.maximumTries = maximumTries
        self.delays = delays
    }

    package static let once = RetryPolicy(maximumTries: 1)

    /// - Parameter tries: that have failed so far.
    func delay(after tries: Int, using random: inout some RandomNumberGenerator) -> Duration {
        var ceiling = delays.lowerBound
        for _ in 1..<max(1, min(tries, 64)) where ceiling < delays.upperBound { ceiling = ceiling * 2 }
        return min(ceiling, delays.upperBound) * Double.random(in: 0.5...1, using: &random)
    }
}
