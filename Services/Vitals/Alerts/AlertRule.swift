internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// How much an alert matters. The raw value is what the tables hold.
typealias AlertSeverity = HealthAlert.Severity

/// A rule as its person wants it.
struct NewAlertRule: Hashable, Sendable {
    let id: UUID
    let name: String
    let criteria: AlertCriteria
    let severity: AlertSeverity
    let isEnabled: Bool
}

/// One version of a rule, and what it has seen.
struct AlertRule: Hashable, Sendable {
    let rule: NewAlertRule
    let version: Int64
    /// It judges the readings from here on …
    let since: Instant
    /// … and before this; without it it is the rule as it stands.
    let judgedUntil: Instant?
    /// The last reading that it has seen.
    let seen: ReadingPlace?
    let machine: AlertMachine

    var id: UUID { rule.id }
    var criteria: AlertCriteria { rule.criteria }

    func judges(_ place: ReadingPlace) -> Bool { since <= place.at && (judgedUntil.map { place.at < $0 } ?? true) }

    /// Where the version after this one begins: now, and behind all that this one has seen, so that no reading is judged by two.
    func end(now: Instant) -> Instant { max(now, since, seen.map { $0.at + .microseconds(1) } ?? now) }
}

/// That a reading is new, or says something else, at a place.
struct ReadingChange: Hashable, Sendable {
    let code: LOINCCode
    let place: ReadingPlace
}

extension Observation {
    var change: ReadingChange { ReadingChange(code: code, place: place) }
}

/// What a rule is shown of a reading.
struct JudgedReading: Hashable, Sendable {
    let place: ReadingPlace
    let version: Int64
    let measurement: Measurement
}

/// An alert that a rule made.
struct RuleAlert: Hashable, Sendable {
    let id: UUID
    let rule: UUID
    let ruleVersion: Int64
    let severity: AlertSeverity
    let title: String
    let code: LOINCCode
    let component: LOINCCode?
    /// What the reading that fired it said, as it was recorded.
    let quantity: Quantity
    let episode: AlertEpisode
    let evidence: [EvidenceID]
    let clearing: EvidenceID?
    let withdrawnAt: Instant?
    let acknowledgedAt: Instant?
    let resolvedAt: Instant?
    let resolution: String?
    let raisedAt: Instant
}

/// A reading as it was at one version.
struct EvidenceID: Hashable, Sendable {
    let observation: ObservationID
    let version: Int64
}
