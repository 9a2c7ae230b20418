internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

extension UUID {
    /// The id in a field of a request.
    init(named field: String, _ text: String) throws(RPCError) {
        guard let id = UUID(uuidString: text) else { throw .invalid(field, InvalidValue("is not an id")) }
        self = id
    }
}

extension NewAlertRule {
    static let maxNameCharacters = 200

    /// Reads a rule, and the version that it is to take the place of.
    static func parsed(_ given: VitalsV1.AlertRule?, knowsVersion: Bool) throws(RPCError) -> (rule: NewAlertRule, version: Int64) {
        guard let given else { throw .invalid("rule", InvalidValue("is needed")) }
        var violations = FieldViolations()
        let id = violations.ruleID(given.id, isKnown: knowsVersion)
        violations.check(given.since == nil, "rule.since", "The service sets it.")
        if knowsVersion {
            violations.check(given.version > 0, "rule.version", "A version is one or more.")
        } else {
            violations.check(given.version == 0, "rule.version", "The service sets it.")
        }
        let name = violations.value("rule.name", given.name) { name throws(InvalidValue) in
            guard name.contains(where: { !$0.isWhitespace }) else { throw InvalidValue("is needed") }
            guard name.codePointCount <= maxNameCharacters else { throw InvalidValue("has more than \(maxNameCharacters) characters") }
            guard !name.hasControlCharacter else { throw InvalidValue("holds a control character") }
            return name
        }
        let criteria = violations.criteria(given)
        let severity = violations.value("rule.severity", given.severity, AlertSeverity.init(_:))
        let values = try violations.complete(id, name, criteria, severity)
        return (
            NewAlertRule(id: values.0, name: values.1, criteria: values.2, severity: values.3, isEnabled: given.enabled), given.version
        )
    }
}

extension FieldViolations {
    fileprivate mutating func ruleID(_ given: String, isKnown: Bool) -> UUID? {
        if given.isEmpty, !isKnown { return UUIDv7.make() }
        return value("rule.id", given) { text throws(InvalidValue) in
            guard let id = UUID(uuidString: text) else { throw InvalidValue("is not an id") }
            return id
        }
    }

    fileprivate mutating func criteria(_ given: VitalsV1.AlertRule) -> AlertCriteria? {
        let code = value("rule.code", given.code, LOINCCode.init(_:))
        let component = given.componentCode.isEmpty ? nil : value("rule.component_code", given.componentCode, LOINCCode.init(_:))
        if code == VitalSigns.bloodPressurePanel {
            check(
                component == VitalSigns.systolicPressure || component == VitalSigns.diastolicPressure, "rule.component_code",
                "For blood pressure it is \(VitalSigns.systolicPressure.text) (systolic) or \(VitalSigns.diastolicPressure.text) (diastolic).")
        }
        let judged = component ?? code
        let condition = value("rule.condition", given.condition, AlertCriteria.Condition.init(_:))
        let threshold = value("rule.threshold", given.threshold, DecimalNumber.init(_:))
        let clearAt = value("rule.clear_at", given.clearAt, DecimalNumber.init(_:))
        if let condition, let threshold, let clearAt {
            let (low, high) = condition == .above ? (clearAt, threshold) : (threshold, clearAt)
            check(
                ExactDecimal(low) < ExactDecimal(high), "rule.clear_at",
                condition == .above ? "It has to be below the threshold." : "It has to be above the threshold.")
        }
        let unit = value("rule.unit", given.unit) { text throws(InvalidValue) in try UCUMUnit(wished: text, of: judged) }
        check(
            (0...AlertCriteria.maxSamples).contains(given.minSamples), "rule.min_samples", "It is 1 to \(AlertCriteria.maxSamples), or 0 for 1.")
        check(
            (0...AlertCriteria.maxDurationSeconds).contains(given.minDurationSeconds), "rule.min_duration_seconds",
            "It is 0 to \(AlertCriteria.maxDurationSeconds).")
        check(
            (0...AlertCriteria.maxCooldownSeconds).contains(given.cooldownSeconds), "rule.cooldown_seconds",
            "It is 0 to \(AlertCriteria.maxCooldownSeconds).")
        guard let code, let condition, let threshold, let clearAt, let unit else { return nil }
        return AlertCriteria(
            code: code, component: component, condition: condition, threshold: threshold, clearAt: clearAt, unit: unit,
            minSamples: max(1, Int(given.minSamples)), minDuration: .seconds(given.minDurationSeconds), cooldown: .seconds(given.cooldownSeconds))
    }
}

extension AlertCriteria.Condition {
    init(_ condition: VitalsV1.AlertCondition) throws(InvalidValue) {
        switch condition {
        case .above: self = .above
        case .below: self = .below
        case .unspecified: throw InvalidValue("is needed")
        case .unrecognized: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension AlertSeverity {
    init(_ severity: VitalsV1.AlertSeverity) throws(InvalidValue) {
        switch severity {
        case .info: self = .info
        case .warning: self = .warning
        case .high: self = .high
        case .critical: self = .critical
        case .unspecified: throw InvalidValue("is needed")
        case .unrecognized: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension VitalsV1.ResolveAlertRequest {
    func parsed() throws(RPCError) -> (id: UUID, resolution: String) {
        var violations = FieldViolations()
        let id = violations.value("alert_id", alertId) { text throws(InvalidValue) in
            guard let id = UUID(uuidString: text) else { throw InvalidValue("is not an id") }
            return id
        }
        violations.check(resolution.codePointCount <= 2_000, "resolution", "The field has more than 2000 characters.")
        violations.check(!resolution.hasNUL, "resolution", "The field holds a NUL character.")
        return (try violations.complete(id), resolution)
    }
}

extension VitalsV1.AlertRule {
    init(_ known: AlertRule) {
        let (rule, criteria) = (known.rule, known.criteria)
        self.init(
            id: rule.id.text, version: known.version, name: rule.name, code: criteria.code.text,
            componentCode: criteria.component?.text ?? "", condition: criteria.condition == .above ? .above : .below,
            threshold: criteria.threshold.text, clearAt: criteria.clearAt.text, unit: criteria.unit.text, minSamples: Int32(criteria.minSamples),
            minDurationSeconds: Int32(criteria.minDuration.components.seconds), cooldownSeconds: Int32(criteria.cooldown.components.seconds),
            severity: .init(rule.severity), enabled: rule.isEnabled, since: .init(known.since))
    }
}

extension VitalsV1.AlertSeverity {
    init(_ severity: AlertSeverity) {
        self = switch severity {
        case .info: .info
        case .warning: .warning
        case .high: .high
        case .critical: .critical
        }
    }
}

extension VitalsV1.Alert {
    init(_ alert: RuleAlert) {
        self.init(
            id: alert.id.text, ruleId: alert.rule.text, ruleVersion: alert.ruleVersion,
            severity: .init(alert.severity), title: alert.title, code: alert.code.text, componentCode: alert.component?.text ?? "",
            observationId: alert.episode.fire.id.text, quantity: .init(alert.quantity), firedAt: .init(alert.episode.fire.at),
            clearedAt: alert.episode.clear.map { .init($0.at) }, withdrawnAt: alert.withdrawnAt.map { .init($0) },
            acknowledgedAt: alert.acknowledgedAt.map { .init($0) }, resolvedAt: alert.resolvedAt.map { .init($0) },
            resolution: alert.resolution ?? "", raisedAt: .init(alert.raisedAt))
    }
}

extension VitalsV1.AlertEvidence {
    init?(_ reading: JudgedReading, by criteria: AlertCriteria) {
        guard let quantity = criteria.judged(reading.measurement) else { return nil }
        self.init(
            observationId: reading.place.id.text, observationVersion: reading.version, effectiveAt: .init(reading.place.at),
            quantity: .init(quantity))
    }
}

extension VitalsV1.ReplayAlertsResponse {
    /// Of so many alerts it says which readings fired them.
    static let mostTold = 10_000

    /// What a rule's readings make of themselves, beside the alerts that are kept.
    init(_ episodes: [AlertEpisode], of readingCount: Int64, kept: [AlertEpisode]) {
        self.init(
            reproduced: episodes == kept, judgedCount: readingCount, observationIds: episodes.prefix(Self.mostTold).map(\.fire.id.text))
    }
}
