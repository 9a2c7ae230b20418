package import Time

/// What becomes of moments that passed while no scheduler ran.
package enum CatchUp: Sendable, Hashable {
    /// Nothing: a job that comes late is of no use.
    case skip
    /// One job makes up for all of them.
    case once
    /// A job for each, but for no more than the newest so many.
    case all(atMost: Int)
}

/// A job that is enqueued by the clock.
package struct CronEntry: Sendable {
    /// Stands for it in Redis. Another name is another entry.
    let name: String
    let schedule: CronSchedule
    let catchUp: CatchUp
    let entry: @Sendable (_ slot: Instant, _ queue: String) throws(JobError) -> QueueEntry

    /// - Parameter payload: made for the moment that the job is for.
    ///
    /// Unless each missed moment has a job of its own (`.all`), no job of the entry is enqueued while one is queued or runs.
    package init<Payload>(
        _ name: String, _ schedule: CronSchedule, _ job: Job<Payload>, catchUp: CatchUp = .once,
        payload: @escaping @Sendable (_ slot: Instant) -> Payload
    ) {
        self.name = name
        self.schedule = schedule
        self.catchUp = catchUp
        entry = { slot, queue throws(JobError) in
            var id = "cron:\(name)"
            if case .all = catchUp { id += ":\(slot.milliseconds)" }
            return try QueueEntry(
                name: job.name, payload: try JobValue.of(payload(slot)), id: JobID(rawValue: id), uniqueKey: nil, due: nil,
                queue: job.priority.queue(queue))
        }
    }

    /// What is to be done at a moment.
    enum Decision: Hashable, Sendable {
        case nothing
        /// Take note of the slot as dealt with, and enqueue nothing.
        case note(Instant)
        /// Enqueue a job for each, in this order.
        case fire([Instant])
    }

    /// A slot this late is on time.
    static let grace = Duration.seconds(60)
    /// A slot so far ahead of the clock was noted by a clock that was wrong.
    static let greatestLead = Duration.seconds(86_400)

    /// - Parameter last: the slot that was dealt with last; nil for an entry that nobody has seen yet, which has missed nothing.
    func decision(last: Instant?, now: Instant) -> Decision {
        guard let latest = schedule.latest(upTo: now) else { return .nothing }
        // A clock that went back meets slots that were dealt with, and waits until they are behind it. One that was ahead by days
        // would wait for days.
        guard let last, last <= now + Self.greatestLead else { return .note(latest) }
        guard latest > last else { return .nothing }
        switch catchUp {
        case .once: return .fire([latest])
        case .skip: return now - latest <= Self.grace ? .fire([latest]) : .note(latest)
        case .all(let limit):
            var slots = [latest]
            while slots.count < limit, let slot = schedule.latest(upTo: slots[slots.count - 1] - .seconds(1)), slot > last {
                slots.append(slot)
            }
            return .fire(slots.reversed())
        }
    }
}

extension JobValue {
    fileprivate static func of(_ payload: some Encodable) throws(JobError) -> JobValue {
        do { return try JobValue(payload) } catch {
            throw JobError(.invalidPayload, "The payload of the job cannot be written as JSON.", cause: error)
        }
    }
}
