/// The keys of arq, and ours beside them, which arq neither reads nor writes.
enum JobKeys {
    static let abort = "arq:abort"
    /// The last fence that was given out.
    static let fence = "heartguard:jobs:fence"
    /// The last slot of each cron entry that was dealt with.
    static let cron = "heartguard:jobs:cron"

    static func body(_ id: JobID) -> String { "arq:job:\(id)" }
    static func inProgress(_ id: JobID) -> String { "arq:in-progress:\(id)" }
    static func result(_ id: JobID) -> String { "arq:result:\(id)" }
    static func retry(_ id: JobID) -> String { "arq:retry:\(id)" }
    static func health(_ queue: String) -> String { "\(queue):health-check" }

    /// The ids of the dead letters of a queue, by the time of their death.
    static func dead(_ queue: String) -> String { "heartguard:jobs:dead:\(queue)" }
    static func deadLetter(_ letter: String, of queue: String) -> String { "heartguard:jobs:dead:\(queue):\(letter)" }
    /// The moment of the last run of a kind of job that has a rate, in microseconds.
    static func lastMoment(of name: String, in queue: String) -> String { "heartguard:jobs:rate:\(queue):\(name)" }
    /// The moment that a run of such a job was given.
    static func moment(_ id: JobID) -> String { "heartguard:jobs:moment:\(id)" }
    /// Says that a row of an outbox has been told already.
    static func told(_ event: String) -> String { "heartguard:jobs:told:\(event)" }
}
