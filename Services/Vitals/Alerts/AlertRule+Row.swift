internal import FoundationEssentials
internal import Postgres
internal import Time

extension AlertCriteria.Condition: PostgresDecodable, PostgresEncodable {}

extension AlertRule: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, version, name, metric, component, condition, threshold, clear_at, unit, min_samples, min_duration_seconds, cooldown_seconds,
        severity, enabled, since, judged_until, seen_at, seen_id, phase, run_started_at, run_started_id, run_count, last_fired_at
        """

    init(row: Row) throws(PostgresError) {
        let criteria = AlertCriteria(
            code: LOINCCode(stored: try row.decode("metric")), component: try row.decode("component", as: String?.self).map(LOINCCode.init(stored:)),
            condition: try row.decode("condition"), threshold: DecimalNumber(stored: try row.decode("threshold")),
            clearAt: DecimalNumber(stored: try row.decode("clear_at")), unit: UCUMUnit(stored: try row.decode("unit")),
            minSamples: Int(try row.decode("min_samples", as: Int32.self)),
            minDuration: .seconds(try row.decode("min_duration_seconds", as: Int32.self)),
            cooldown: .seconds(try row.decode("cooldown_seconds", as: Int32.self)))
        rule = NewAlertRule(
            id: try row.decode("id"), name: try row.decode("name"), criteria: criteria, severity: try row.decode("severity"),
            isEnabled: try row.decode("enabled"))
        version = try row.decode("version")
        since = try row.decode("since")
        judgedUntil = try row.decode("judged_until")
        seen = try row.place("seen_at", "seen_id")
        let phase: AlertMachine.Phase
        if let start = try row.place("run_started_at", "run_started_id") {
            phase = .gathering(AlertMachine.Run(start: start, count: Int(try row.decode("run_count", as: Int32.self))))
        } else {
            phase = try row.decode("phase", as: String.self) == "firing" ? .firing : .quiet
        }
        machine = AlertMachine(phase: phase, lastFired: try row.decode("last_fired_at"))
    }
}

extension AlertMachine.Phase {
    var name: String {
        switch self {
        case .quiet: "quiet"
        case .gathering: "gathering"
        case .firing: "firing"
        }
    }

    var run: AlertMachine.Run? {
        if case .gathering(let run) = self { run } else { nil }
    }
}

extension Row {
    /// A place of which both parts are there or neither is.
    fileprivate func place(_ at: String, _ id: String) throws(PostgresError) -> ReadingPlace? {
        guard let at = try decode(at, as: Instant?.self), let id = try decode(id, as: UUID?.self) else { return nil }
        return ReadingPlace(at: at, id: ObservationID(id))
    }
}

extension ReadingChange: RowDecodable {
    init(row: Row) throws(PostgresError) {
        code = LOINCCode(stored: try row.decode("metric"))
        place = ReadingPlace(at: try row.decode("effective_at"), id: ObservationID(try row.decode("id")))
    }
}

extension JudgedReading: RowDecodable {
    init(row: Row) throws(PostgresError) {
        place = ReadingPlace(at: try row.decode("effective_at"), id: ObservationID(try row.decode("id")))
        version = try row.decode("version")
        measurement = try Measurement(row: row)
    }
}

extension RuleAlert: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, rule_id, rule_version, severity, title, metric, component, value, unit, fired_by, triggered_at, started_at, started_id,
        previous_fired_at, evidence_ids, evidence_versions, cleared_at, cleared_id, cleared_version, withdrawn_at, acknowledged_at,
        resolved_at, resolution, created_at
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        rule = try row.decode("rule_id")
        ruleVersion = try row.decode("rule_version")
        severity = try row.decode("severity")
        title = try row.decode("title")
        code = LOINCCode(stored: try row.decode("metric"))
        component = try row.decode("component", as: String?.self).map(LOINCCode.init(stored:))
        quantity = Quantity(value: DecimalNumber(stored: try row.decode("value")), unit: UCUMUnit(stored: try row.decode("unit")))
        guard let start = try row.place("started_at", "started_id"), let fire = try row.place("triggered_at", "fired_by") else {
            throw PostgresError(.decoding, "An alert of a rule does not say which readings it was made of.")
        }
        let clear = try row.place("cleared_at", "cleared_id")
        episode = AlertEpisode(start: start, fire: fire, lastFired: try row.decode("previous_fired_at"), clear: clear)
        evidence = zip(try row.decode("evidence_ids", as: [UUID].self), try row.decode("evidence_versions", as: [Int64].self)).map {
            EvidenceID(observation: ObservationID($0), version: $1)
        }
        let clearedVersion = try row.decode("cleared_version", as: Int64?.self)
        clearing = clear.flatMap { clear in clearedVersion.map { EvidenceID(observation: clear.id, version: $0) } }
        withdrawnAt = try row.decode("withdrawn_at")
        acknowledgedAt = try row.decode("acknowledged_at")
        resolvedAt = try row.decode("resolved_at")
        resolution = try row.decode("resolution")
        raisedAt = try row.decode("created_at")
    }
}
