internal import FoundationEssentials
internal import Jobs
internal import Postgres
internal import Time

/// Shows rules what changes among a person's readings, in the transaction that changes them, so that there is an alert if and only if there
/// are the readings that it was made of. The person's timeline is held meanwhile: readings of one person are judged one change after another.
///
/// What alerts there are is a function of the readings and the rules' versions alone, whatever order the readings came in. A reading behind all
/// that a rule has seen is simply shown to it. One that is late, or says something else than before, or is no more, has the rule judge from
/// there on anew, until nothing of before can make a difference to what comes behind; then alerts are raised, changed and withdrawn to fit.
struct AlertJudge: Sendable {
    private let outbox: Outbox

    /// Readings that are read at once.
    private static let page = 500

    init(postgres: Postgres) { outbox = Outbox(postgres: postgres, table: "vitals.outbox") }

    /// Has every version of the person's rules judge that may.
    func judge(_ changes: [ReadingChange], of user: UserID, in transaction: Transaction) async throws {
        let times = changes.map(\.place.at)
        guard let first = times.min(), let last = times.max() else { return }
        let codes = Array(Set(changes.map(\.code)))
        let rules = try await transaction.rows(.rules(judging: codes, from: first, through: last, of: user))
        try await judge(changes, by: rules, of: user, in: transaction)
    }

    /// - Parameter rules: every version that may judge one of the changes.
    func judge(_ changes: [ReadingChange], by rules: [AlertRule], of user: UserID, in transaction: Transaction) async throws {
        for rule in rules {
            let places = changes.lazy.filter { $0.code == rule.criteria.code && rule.judges($0.place) }.map(\.place)
            guard let first = places.min(), let last = places.max() else { continue }
            let work = Judgement(rule: rule, user: user, transaction: transaction, outbox: outbox)
            if let seen = rule.seen, first <= seen {
                try await work.judgeAnew(from: first, through: last)
            } else {
                try await work.goOn()
            }
        }
    }

    /// The episodes that all readings of a rule's version make, judged from nothing, and how many readings there are.
    static func replay(_ rule: AlertRule, of user: UserID, in transaction: Transaction) async throws -> (episodes: [AlertEpisode], count: Int64) {
        var trace = AlertTrace()
        var count: Int64 = 0
        try await forEachReading(of: rule, of: user, from: ReadingPlace(at: rule.since, id: .least), in: transaction) { reading in
            guard let side = rule.criteria.side(of: reading.measurement) else { return true }
            trace.see(reading.place, side, by: rule.criteria)
            count += 1
            return true
        }
        return (trace.episodes, count)
    }

    /// Shows the readings from a place on that the rule's version judges, in their order, for as long as `body` wants more.
    fileprivate static func forEachReading(
        of rule: AlertRule, of user: UserID, from start: ReadingPlace, in transaction: Transaction, _ body: (JudgedReading) throws -> Bool
    ) async throws {
        var start = start
        var isFirst = true
        while true {
            let readings = try await transaction.rows(.readings(of: rule, of: user, from: start, limit: page))
            for reading in readings where isFirst || reading.place != start {
                guard try body(reading) else { return }
            }
            guard readings.count == page, let last = readings.last else { return }
            start = last.place
            isFirst = false
        }
    }
}

/// One rule's version at work on one person's readings in one transaction.
private struct Judgement {
    let rule: AlertRule
    let user: UserID
    let transaction: Transaction
    let outbox: Outbox

    private var criteria: AlertCriteria { rule.criteria }

    /// Shows the rule what is behind all that it has seen.
    func goOn() async throws {
        var trace = AlertTrace(from: rule.machine)
        var seen = rule.seen
        let start = seen ?? ReadingPlace(at: rule.since, id: .least)
        try await AlertJudge.forEachReading(of: rule, of: user, from: start, in: transaction) { reading in
            if reading.place == seen { return true }
            seen = reading.place
            if let side = criteria.side(of: reading.measurement) { trace.see(reading.place, side, by: criteria) }
            return true
        }
        if let ended = trace.endedEarlier, let open = try await transaction.first(.openAlert(of: rule, user)) {
            try await put(open.episode.cleared(at: ended), in: open)
        }
        for episode in trace.episodes { try await raise(episode) }
        try await keep(trace.machine, seen)
    }

    /// Judges from a place on anew, up to the end, or to where nothing can come out otherwise than it did.
    func judgeAnew(from first: ReadingPlace, through last: ReadingPlace) async throws {
        let before = try await transaction.first(.alert(of: rule, user, firedBefore: first))
        let after = try await transaction.rows(.alerts(of: rule, user, firedFrom: first))
        let isOpen = before.map { $0.episode.isOpen(at: first) } ?? false
        var machine = AlertMachine(phase: .firing, lastFired: before?.episode.fire.at)
        if !isOpen {
            let run = try await run(before: first, behind: before)
            machine = AlertMachine(phase: run.map(AlertMachine.Phase.gathering) ?? .quiet, lastFired: before?.episode.fire.at)
        }
        var trace = AlertTrace(from: machine)
        var seen = rule.seen
        var end: ReadingPlace?
        let old = ([before].compactMap { $0 } + after.filter { $0.withdrawnAt == nil }).map(\.episode)
        try await AlertJudge.forEachReading(of: rule, of: user, from: first, in: transaction) { reading in
            seen = max(seen ?? reading.place, reading.place)
            guard let side = criteria.side(of: reading.measurement) else { return true }
            trace.see(reading.place, side, by: criteria)
            guard reading.place > last, side != .beyond, isAsBefore(trace.machine, old, at: reading.place) else { return true }
            end = reading.place
            return false
        }

        if let before, isOpen { try await put(before.episode.cleared(at: trace.endedEarlier), in: before) }
        let known = Dictionary(after.map { ($0.episode.fire.id, $0) }) { first, _ in first }
        for episode in trace.episodes {
            if let alert = known[episode.fire.id] { try await put(episode, in: alert) } else { try await raise(episode) }
        }
        let made = Set(trace.episodes.map(\.fire.id))
        for alert in after where !made.contains(alert.episode.fire.id) && alert.withdrawnAt == nil {
            if let end, end < alert.episode.fire { continue }
            try await advance()
            try await transaction.execute(.withdraw(alert.id, of: user))
        }
        guard let end else { return try await keep(trace.machine, seen) }
        // What comes behind is as it was, but for which alert is the one before.
        let lastFired = trace.machine.lastFired
        if let next = after.first(where: { end < $0.episode.fire && $0.withdrawnAt == nil }) {
            try await put(next.episode.following(lastFired), in: next)
        } else {
            try await keep(AlertMachine(phase: rule.machine.phase, lastFired: lastFired), seen)
        }
    }

    /// Whether the machine is as it was there before, as far as that makes a difference to what comes behind.
    private func isAsBefore(_ machine: AlertMachine, _ old: [AlertEpisode], at place: ReadingPlace) -> Bool {
        guard machine.phase == .quiet, !old.contains(where: { $0.fire <= place && ($0.clear.map { place < $0 } ?? true) }) else { return false }
        let lastFired = old.last { $0.fire <= place }?.fire.at
        let was = AlertMachine(lastFired: lastFired)
        return lastFired == machine.lastFired
            || !machine.isCoolingDown(at: place.at, by: criteria) && !was.isCoolingDown(at: place.at, by: criteria)
    }

    /// The readings in a row beyond the threshold that end just before a place.
    private func run(before place: ReadingPlace, behind alert: RuleAlert?) async throws -> AlertMachine.Run? {
        let machine = AlertMachine(lastFired: alert?.episode.fire.at)
        var run: AlertMachine.Run?
        var place = place
        while true {
            let readings = try await transaction.rows(.readings(of: rule, of: user, before: place, limit: 50))
            for reading in readings {
                if let clear = alert?.episode.clear, reading.place <= clear { return run }
                guard let side = criteria.side(of: reading.measurement) else { continue }
                guard side == .beyond, !machine.isCoolingDown(at: reading.place.at, by: criteria) else { return run }
                run = AlertMachine.Run(start: reading.place, count: (run?.count ?? 0) + 1)
            }
            guard readings.count == 50, let last = readings.last else { return run }
            place = last.place
        }
    }

    /// The readings from the first that led to an alert to the one that fired it, and what that said.
    private func evidence(of episode: AlertEpisode) async throws -> (readings: [EvidenceID], quantity: Quantity?) {
        var readings: [EvidenceID] = []
        var quantity: Quantity?
        try await AlertJudge.forEachReading(of: rule, of: user, from: episode.start, in: transaction) { reading in
            guard reading.place <= episode.fire else { return false }
            if criteria.side(of: reading.measurement) != nil {
                readings.append(EvidenceID(observation: reading.place.id, version: reading.version))
                quantity = criteria.judged(reading.measurement)
            }
            return true
        }
        return (readings, quantity)
    }

    /// Raises an alert; or again the one that the same reading made, which was withdrawn when that was at another time.
    private func raise(_ episode: AlertEpisode) async throws {
        if let withdrawn = try await transaction.first(.alert(of: rule, user, firedBy: episode.fire.id)) { return try await put(episode, in: withdrawn) }
        let (evidence, quantity) = try await evidence(of: episode)
        guard let quantity else { return }
        let clearing = try await clearing(of: episode)
        let id = UUIDv7.make()
        try await advance()
        try await transaction.execute(.raise(id, episode, evidence, quantity, clearing, by: rule, of: user))
        try await tell(id)
    }

    /// Has an alert be what the episode is, if it isn't.
    private func put(_ episode: AlertEpisode, in alert: RuleAlert) async throws {
        let (evidence, quantity) = try await evidence(of: episode)
        let clearing = try await clearing(of: episode)
        guard let quantity else { return }
        guard alert.episode != episode || alert.evidence != evidence || alert.clearing != clearing || alert.withdrawnAt != nil else { return }
        try await advance()
        try await transaction.execute(.put(episode, evidence, quantity, clearing, in: alert.id, isStanding: rule.judgedUntil == nil, of: user))
        // It may have been withdrawn when its turn to be told of came. Users takes each once, so who was told is not told again.
        if alert.withdrawnAt != nil { try await tell(alert.id) }
    }

    private func tell(_ alert: UUID) async throws {
        try await outbox.add(OutboxEvent(AlertNotice.job, .init(alert: alert, user: user.uuid), about: alert), in: transaction)
    }

    private func clearing(of episode: AlertEpisode) async throws -> EvidenceID? {
        guard let clear = episode.clear, let reading = try await transaction.rows(.readings(of: rule, of: user, from: clear, limit: 1)).first else {
            return nil
        }
        return EvidenceID(observation: reading.place.id, version: reading.version)
    }

    private func advance() async throws { try await transaction.execute(.advanceTimeline(of: user, by: 1)) }

    private func keep(_ machine: AlertMachine, _ seen: ReadingPlace?) async throws {
        try await transaction.execute(.keep(machine, seen, in: rule, of: user))
    }
}

extension AlertEpisode {
    fileprivate func cleared(at place: ReadingPlace?) -> AlertEpisode {
        var episode = self
        episode.clear = place
        return episode
    }

    fileprivate func following(_ lastFired: Instant?) -> AlertEpisode {
        AlertEpisode(start: start, fire: fire, lastFired: lastFired, clear: clear)
    }
}
