internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// The rules in `vitals.alert_rules` and the alerts that they made. Every statement runs as the person whose they are.
struct AlertRuleRepository: Sendable {
    let postgres: Postgres

    /// How many may stand, so that what judges a reading is bounded.
    static let maxRules = 100

    /// Makes a rule, for readings from now on; or finds it, if it is there and says the same.
    ///
    /// Throws `VitalsError.ruleIsAnother`, or `.tooManyRules`.
    func create(_ rule: NewAlertRule, of user: UserID) async throws -> AlertRule {
        try await withTimeline(of: user) { transaction in
            let (found, count) = try await transaction.batch(.rule(rule.id, of: user), .countRules(of: user))
            if let known = try found.first() {
                guard known.judgedUntil == nil, known.rule == rule else { throw VitalsError.ruleIsAnother }
                return known
            }
            guard try count.first()?.value ?? 0 < Self.maxRules else { throw VitalsError.tooManyRules }
            return try await insert(rule, version: 1, since: .now(), of: user, in: transaction)
        }
    }

    /// Puts a rule in the place of the one with its id, for readings from now on. A second call with the same rule finds it there.
    ///
    /// Throws `VitalsError.noSuchRule`, or `.ruleChanged` unless that had the version. The code and the component stay: another throws
    /// `.ruleIsAnother`.
    func replace(_ rule: NewAlertRule, version: Int64, of user: UserID) async throws -> AlertRule {
        try await withTimeline(of: user) { transaction in
            guard let known = try await transaction.first(.rule(rule.id, of: user)), known.judgedUntil == nil else { throw VitalsError.noSuchRule }
            if known.version - 1 == version, known.rule == rule { return known }
            guard known.version == version else { throw VitalsError.ruleChanged(known.version) }
            guard known.criteria.code == rule.criteria.code, known.criteria.component == rule.criteria.component else {
                throw VitalsError.ruleIsAnother
            }
            let end = known.end(now: .now())
            try await close(known, at: end, of: user, in: transaction)
            return try await insert(rule, version: version + 1, since: end, of: user, in: transaction)
        }
    }

    /// Nothing happens if there is none.
    func delete(_ rule: UUID, of user: UserID) async throws {
        try await withTimeline(of: user) { transaction in
            guard let known = try await transaction.first(.rule(rule, of: user)), known.judgedUntil == nil else { return }
            try await close(known, at: known.end(now: .now()), of: user, in: transaction)
        }
    }

    /// Those that stand, newest first.
    func list(of user: UserID) async throws(PostgresError) -> [AlertRule] {
        try await postgres.rows(.standingRules(of: user), identity: .user(user.uuid))
    }

    /// The newest first, behind the one with the id `last` if there is one.
    func alerts(of user: UserID, openOnly: Bool, behind last: UUID?, limit: Int) async throws(PostgresError) -> [RuleAlert] {
        try await postgres.rows(.alerts(of: user, openOnly: openOnly, behind: last, limit: limit), identity: .user(user.uuid))
    }

    func find(_ alert: UUID, of user: UserID) async throws(PostgresError) -> RuleAlert? {
        try await postgres.first(.alert(alert, of: user), identity: .user(user.uuid))
    }

    /// Throws `VitalsError.noSuchAlert`.
    func acknowledge(_ alert: UUID, of user: UserID) async throws -> RuleAlert {
        try await change(of: user, .acknowledge(alert, of: user))
    }

    /// Throws `VitalsError.noSuchAlert`.
    func resolve(_ alert: UUID, of user: UserID, saying resolution: String) async throws -> RuleAlert {
        try await change(of: user, .resolve(alert, of: user, saying: resolution))
    }

    /// An alert with the version of the rule that made it and the readings as they were; throws `VitalsError.noSuchAlert`.
    func evidence(
        of alert: UUID, _ user: UserID
    ) async throws -> (alert: RuleAlert, rule: AlertRule, evidence: [JudgedReading], clearing: JudgedReading?) {
        try await postgres.transaction(identity: .user(user.uuid), tier: .normal) { transaction in
            guard let alert = try await transaction.first(.alert(alert, of: user)) else { throw VitalsError.noSuchAlert }
            let (rules, evidence, clearing) = try await transaction.batch(
                .rule(alert.rule, version: alert.ruleVersion, of: user), .readings(alert.evidence, of: user),
                .readings(alert.clearing.map { [$0] } ?? [], of: user))
            guard let rule = try rules.first() else { throw VitalsError.noSuchRule }
            return (alert, rule, try evidence.rows(), try clearing.first())
        }
    }

    /// What all readings of the rule as it stands make, and what is kept. Nobody writes the person's readings meanwhile.
    func replay(
        _ rule: UUID, of user: UserID
    ) async throws -> (rule: AlertRule, episodes: [AlertEpisode], kept: [RuleAlert], count: Int64) {
        try await withTimeline(of: user, tier: .slow) { transaction in
            guard let rule = try await transaction.first(.rule(rule, of: user)), rule.judgedUntil == nil else { throw VitalsError.noSuchRule }
            let start = ReadingPlace(at: rule.since, id: .least)
            let kept = try await transaction.rows(.alerts(of: rule, user, firedFrom: start)).filter { $0.withdrawnAt == nil }
            guard rule.rule.isEnabled else { return (rule, [], kept, 0) }
            let (episodes, count) = try await AlertJudge.replay(rule, of: user, in: transaction)
            return (rule, episodes, kept, count)
        }
    }

    private func change(of user: UserID, _ statement: Statement<RuleAlert>) async throws -> RuleAlert {
        try await withTimeline(of: user) { transaction in
            guard let alert = try await transaction.first(statement) else { throw VitalsError.noSuchAlert }
            return alert
        }
    }

    private func insert(
        _ rule: NewAlertRule, version: Int64, since: Instant, of user: UserID, in transaction: Transaction
    ) async throws -> AlertRule {
        guard let made = try await transaction.first(.insert(rule, version: version, since: since, of: user)) else { throw VitalsError.noSuchRule }
        return made
    }

    private func close(_ rule: AlertRule, at end: Instant, of user: UserID, in transaction: Transaction) async throws {
        _ = try await transaction.batch(.close(rule, at: end, of: user), .resolveAlerts(of: rule, user))
    }

    /// Holds the person's timeline, so that no reading is judged meanwhile.
    private func withTimeline<Value>(
        of user: UserID, tier: TimeoutTier = .fast, _ body: nonisolated(nonsending) (Transaction) async throws -> Value
    ) async throws -> Value {
        try await postgres.transaction(identity: .user(user.uuid), tier: tier) { transaction in
            try await transaction.execute(.advanceTimeline(of: user, by: 1))
            return try await body(transaction)
        }
    }
}

extension Statement<AlertRule> {
    /// The newest version.
    static func rule(_ id: UUID, of user: UserID) -> Self {
        .reading(
            "SELECT \(AlertRule.columns) FROM vitals.alert_rules WHERE user_id = \(user.uuid) AND id = \(id) ORDER BY version DESC LIMIT 1")
    }

    static func rule(_ id: UUID, version: Int64, of user: UserID) -> Self {
        .reading("SELECT \(AlertRule.columns) FROM vitals.alert_rules WHERE user_id = \(user.uuid) AND id = \(id) AND version = \(version)")
    }

    static func standingRules(of user: UserID) -> Self {
        .reading(
            "SELECT \(AlertRule.columns) FROM vitals.alert_rules WHERE user_id = \(user.uuid) AND judged_until IS NULL ORDER BY since DESC, id DESC")
    }

    static func insert(_ rule: NewAlertRule, version: Int64, since: Instant, of user: UserID) -> Self {
        let criteria = rule.criteria
        return .writing(
            """
            INSERT INTO vitals.alert_rules (
                user_id, id, version, name, metric, component, condition, threshold, clear_at, unit, min_samples, min_duration_seconds,
                cooldown_seconds, severity, enabled, since
            ) VALUES (
                \(user.uuid), \(rule.id), \(version), \(rule.name), \(criteria.code.text), \(criteria.component?.text), \(criteria.condition),
                \(criteria.threshold.numeric), \(criteria.clearAt.numeric), \(criteria.unit.text), \(Int32(criteria.minSamples)),
                \(Int32(criteria.minDuration.components.seconds)), \(Int32(criteria.cooldown.components.seconds)), \(rule.severity),
                \(rule.isEnabled), \(since)
            ) RETURNING \(AlertRule.columns)
            """)
    }
}

extension Statement<Scalar<Int64>> {
    static func countRules(of user: UserID) -> Self {
        .reading("SELECT count(*) FROM vitals.alert_rules WHERE user_id = \(user.uuid) AND judged_until IS NULL")
    }
}

extension Statement<RuleAlert> {
    static func alert(_ id: UUID, of user: UserID) -> Self {
        .reading("SELECT \(RuleAlert.columns) FROM vitals.health_alerts WHERE user_id = \(user.uuid) AND id = \(id) AND rule_id IS NOT NULL")
    }

    static func alerts(of user: UserID, openOnly: Bool, behind last: UUID?, limit: Int) -> Self {
        let rest: Query = if let last { "AND id < \(last)" } else { "" }
        return .reading(
            """
            SELECT \(RuleAlert.columns) FROM vitals.health_alerts
            WHERE user_id = \(user.uuid) AND rule_id IS NOT NULL AND (NOT resolved OR NOT \(openOnly)) \(rest) ORDER BY id DESC LIMIT \(limit)
            """)
    }

    static func acknowledge(_ alert: UUID, of user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.health_alerts SET
                acknowledged_at = coalesce(acknowledged_at, clock_timestamp()),
                position = (SELECT t.position FROM vitals.timelines t WHERE t.user_id = \(user.uuid))
            WHERE user_id = \(user.uuid) AND id = \(alert) AND rule_id IS NOT NULL RETURNING \(RuleAlert.columns)
            """)
    }

    static func resolve(_ alert: UUID, of user: UserID, saying resolution: String) -> Self {
        .writing(
            """
            UPDATE vitals.health_alerts SET
                resolution = CASE WHEN resolved_by = 'person' THEN resolution ELSE nullif(\(resolution), '') END,
                resolved = true, resolved_at = coalesce(resolved_at, clock_timestamp()), resolved_by = 'person',
                position = (SELECT t.position FROM vitals.timelines t WHERE t.user_id = \(user.uuid))
            WHERE user_id = \(user.uuid) AND id = \(alert) AND rule_id IS NOT NULL RETURNING \(RuleAlert.columns)
            """)
    }
}

extension Statement<Void> {
    static func close(_ rule: AlertRule, at end: Instant, of user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.alert_rules SET judged_until = \(end)
            WHERE user_id = \(user.uuid) AND id = \(rule.id) AND version = \(rule.version)
            """)
    }

    static func resolveAlerts(of rule: AlertRule, _ user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.health_alerts SET
                resolved = true, resolved_at = clock_timestamp(), resolved_by = 'readings',
                position = (SELECT t.position FROM vitals.timelines t WHERE t.user_id = \(user.uuid))
            WHERE user_id = \(user.uuid) AND rule_id = \(rule.id) AND rule_version = \(rule.version) AND NOT resolved
            """)
    }
}
