/// Whether the readings that an alert names, as they were, make it by the rule's version that it names.
struct AlertProof: Hashable, Sendable {
    let alert: RuleAlert
    let rule: AlertRule
    let evidence: [JudgedReading]
    let clearing: JudgedReading?

    init(_ found: (alert: RuleAlert, rule: AlertRule, evidence: [JudgedReading], clearing: JudgedReading?)) {
        (alert, rule, evidence, clearing) = found
    }

    /// The machine is shown the readings from the start, with what it knew then: when the alert before had fired.
    var holds: Bool {
        guard evidence.count == alert.evidence.count, (clearing == nil) == (alert.clearing == nil) else { return false }
        var trace = AlertTrace(from: AlertMachine(lastFired: alert.episode.lastFired))
        for reading in evidence + (clearing.map { [$0] } ?? []) {
            guard rule.judges(reading.place), let side = rule.criteria.side(of: reading.measurement) else { return false }
            trace.see(reading.place, side, by: rule.criteria)
        }
        return trace.episodes == [alert.episode] && evidence.last.flatMap { rule.criteria.judged($0.measurement) } == alert.quantity
    }
}
