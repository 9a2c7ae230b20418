internal import FoundationEssentials
internal import Postgres
internal import Time

// What rules read and write while they judge.

extension AlertRule {
    /// The rows of every version of the person's rules for these codes that judges a time between two, as they stand behind FROM.
    static func judging(_ codes: [LOINCCode], from first: Instant, through last: Instant, of user: UserID) -> Query {
        """
        vitals.alert_rules
        WHERE user_id = \(user.uuid) AND metric = ANY(\(codes.map(\.text))) AND enabled AND since <= \(last)
          AND (judged_until IS NULL OR judged_until > \(first))
        """
    }
}

extension Statement<AlertRule> {
    /// Every version of the person's rules for these codes that judges a time between two.
    static func rules(judging codes: [LOINCCode], from first: Instant, through last: Instant, of user: UserID) -> Self {
        .reading("SELECT \(AlertRule.columns) FROM \(AlertRule.judging(codes, from: first, through: last, of: user)) ORDER BY id, version")
    }
}

extension Statement<JudgedReading> {
    /// From a place on, that place included.
    static func readings(of rule: AlertRule, of user: UserID, from place: ReadingPlace, limit: Int) -> Self {
        .reading(
            """
            SELECT id, version, effective_at, value, unit, components FROM vitals.vitals
            WHERE user_id = \(user.uuid) AND metric = \(rule.criteria.code.text) AND (effective_at, id) >= (\(place.at), \(place.id.uuid))
              AND effective_at < \(rule.judgedUntil ?? Period.always.end) AND status <> 'entered_in_error'
            ORDER BY effective_at, id LIMIT \(limit)
            """)
    }

    /// Backwards from a place, that place not included.
    static func readings(of rule: AlertRule, of user: UserID, before place: ReadingPlace, limit: Int) -> Self {
        .reading(
            """
            SELECT id, version, effective_at, value, unit, components FROM vitals.vitals
            WHERE user_id = \(user.uuid) AND metric = \(rule.criteria.code.text) AND (effective_at, id) < (\(place.at), \(place.id.uuid))
              AND effective_at >= \(rule.since) AND status <> 'entered_in_error'
            ORDER BY effective_at DESC, id DESC LIMIT \(limit)
            """)
    }

    /// Readings as they were at some versions, in the order in which they are named.
    static func readings(_ evidence: [EvidenceID], of user: UserID) -> Self {
        .reading(
            """
            SELECT old.id, old.version, old.effective_at, old.value, old.unit, old.components
            FROM unnest(\(evidence.map(\.observation.uuid)), \(evidence.map(\.version))) WITH ORDINALITY AS e (id, version, position)
            CROSS JOIN LATERAL (
                SELECT v.id, v.version, v.effective_at, v.value, v.unit, v.components
                FROM vitals.vitals v WHERE v.user_id = \(user.uuid) AND v.id = e.id AND v.version = e.version
                UNION ALL
                SELECT o.observation_id, o.version, o.effective_at, o.value, o.unit, o.components
                FROM vitals.observation_versions o WHERE o.user_id = \(user.uuid) AND o.observation_id = e.id AND o.version = e.version
            ) AS old
            ORDER BY e.position
            """)
    }
}

extension Statement<RuleAlert> {
    static func openAlert(of rule: AlertRule, _ user: UserID) -> Self {
        .reading(
            """
            SELECT \(RuleAlert.columns) FROM vitals.health_alerts
            WHERE user_id = \(user.uuid) AND rule_id = \(rule.id) AND rule_version = \(rule.version) AND cleared_at IS NULL AND withdrawn_at IS NULL
            ORDER BY triggered_at DESC, fired_by DESC LIMIT 1
            """)
    }

    static func alert(of rule: AlertRule, _ user: UserID, firedBefore place: ReadingPlace) -> Self {
        .reading(
            """
            SELECT \(RuleAlert.columns) FROM vitals.health_alerts
            WHERE user_id = \(user.uuid) AND rule_id = \(rule.id) AND rule_version = \(rule.version) AND withdrawn_at IS NULL
              AND (triggered_at, fired_by) < (\(place.at), \(place.id.uuid))
            ORDER BY triggered_at DESC, fired_by DESC LIMIT 1
            """)
    }

    /// Also if it was withdrawn.
    static func alert(of rule: AlertRule, _ user: UserID, firedBy reading: ObservationID) -> Self {
        .reading(
            """
            SELECT \(RuleAlert.columns) FROM vitals.health_alerts
            WHERE user_id = \(user.uuid) AND rule_id = \(rule.id) AND rule_version = \(rule.version) AND fired_by = \(reading.uuid)
            """)
    }

    /// Those that were withdrawn included.
    static func alerts(of rule: AlertRule, _ user: UserID, firedFrom place: ReadingPlace) -> Self {
        .reading(
            """
            SELECT \(RuleAlert.columns) FROM vitals.health_alerts
            WHERE user_id = \(user.uuid) AND rule_id = \(rule.id) AND rule_version = \(rule.version)
              AND (triggered_at, fired_by) >= (\(place.at), \(place.id.uuid))
            ORDER BY triggered_at, fired_by
            """)
    }
}

extension Statement<Void> {
    /// One of a version that does not stand any more is over, as those are that it had when it ended.
    static func raise(
        _ id: UUID, _ episode: AlertEpisode, _ evidence: [EvidenceID], _ quantity: Quantity, _ clearing: EvidenceID?, by rule: AlertRule,
        of user: UserID
    ) -> Self {
        let isOver = episode.clear != nil || rule.judgedUntil != nil
        return .writing(
            """
            INSERT INTO vitals.health_alerts (
                user_id, id, type, severity, title, metric, component, value, unit, vital_id, triggered_at, rule_id, rule_version, fired_by,
                started_at, started_id, previous_fired_at, evidence_ids, evidence_versions, cleared_at, cleared_id, cleared_version,
                resolved, resolved_at, resolved_by, position
            ) VALUES (
                \(user.uuid), \(id), 'threshold', \(rule.rule.severity), \(rule.rule.name), \(rule.criteria.code.text),
                \(rule.criteria.component?.text), \(quantity.value.numeric), \(quantity.unit.text), \(episode.fire.id.uuid), \(episode.fire.at),
                \(rule.id), \(rule.version), \(episode.fire.id.uuid), \(episode.start.at), \(episode.start.id.uuid), \(episode.lastFired),
                \(evidence.map(\.observation.uuid)), \(evidence.map(\.version)), \(episode.clear?.at), \(episode.clear?.id.uuid),
                \(clearing?.version), \(isOver), CASE WHEN \(isOver) THEN clock_timestamp() END, CASE WHEN \(isOver) THEN 'readings' END,
                (SELECT t.position FROM vitals.timelines t WHERE t.user_id = \(user.uuid))
            )
            """)
    }

    /// What a person closed stays closed; what the readings closed is open again if they don't any more and the rule still stands.
    static func put(
        _ episode: AlertEpisode, _ evidence: [EvidenceID], _ quantity: Quantity, _ clearing: EvidenceID?, in alert: UUID, isStanding: Bool,
        of user: UserID
    ) -> Self {
        let isOver = episode.clear != nil || !isStanding
        return .writing(
            """
            UPDATE vitals.health_alerts SET
                value = \(quantity.value.numeric), unit = \(quantity.unit.text), triggered_at = \(episode.fire.at), started_at = \(episode.start.at),
                started_id = \(episode.start.id.uuid), previous_fired_at = \(episode.lastFired), evidence_ids = \(evidence.map(\.observation.uuid)),
                evidence_versions = \(evidence.map(\.version)), cleared_at = \(episode.clear?.at), cleared_id = \(episode.clear?.id.uuid),
                cleared_version = \(clearing?.version), withdrawn_at = NULL,
                resolved = \(isOver) OR resolved_by IS NOT DISTINCT FROM 'person',
                resolved_at = CASE WHEN resolved_by IS NOT DISTINCT FROM 'person' THEN resolved_at
                                   WHEN \(isOver) THEN coalesce(resolved_at, clock_timestamp()) END,
                resolved_by = CASE WHEN resolved_by IS NOT DISTINCT FROM 'person' THEN resolved_by WHEN \(isOver) THEN 'readings' END,
                position = (SELECT t.position FROM vitals.timelines t WHERE t.user_id = \(user.uuid))
            WHERE user_id = \(user.uuid) AND id = \(alert)
            """)
    }

    static func withdraw(_ alert: UUID, of user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.health_alerts SET
                withdrawn_at = clock_timestamp(), resolved = true, resolved_at = coalesce(resolved_at, clock_timestamp()),
                resolved_by = coalesce(resolved_by, 'readings'),
                position = (SELECT t.position FROM vitals.timelines t WHERE t.user_id = \(user.uuid))
            WHERE user_id = \(user.uuid) AND id = \(alert)
            """)
    }

    static func keep(_ machine: AlertMachine, _ seen: ReadingPlace?, in rule: AlertRule, of user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.alert_rules SET
                seen_at = \(seen?.at), seen_id = \(seen?.id.uuid), phase = \(machine.phase.name), run_started_at = \(machine.phase.run?.start.at),
                run_started_id = \(machine.phase.run?.start.id.uuid), run_count = \(machine.phase.run.map { Int32(clamping: $0.count) }),
                last_fired_at = \(machine.lastFired)
            WHERE user_id = \(user.uuid) AND id = \(rule.id) AND version = \(rule.version)
            """)
    }
}
