internal import Application
internal import Contracts
internal import RPC
internal import Time

extension NewObservation {
    static let maxBatch = 1_000
    /// After so many faulty readings the rest of a batch is not looked at: the answer has to fit into metadata.
    private static let maxFaulty = 5

    /// The readings of a batch. Throws INVALID_ARGUMENT with a violation for every field that is wrong.
    static func batch(
        _ request: VitalsV1.RecordObservationsRequest, now: Instant = .now()
    ) throws(RPCError) -> [NewObservation] {
        var violations = FieldViolations()
        violations.check(
            (1...maxBatch).contains(request.observations.count), "observations",
            "There must be 1 to \(maxBatch) of them.")
        try violations.throwIfAny()
        var batch: [NewObservation] = []
        batch.reserveCapacity(request.observations.count)
        for (position, observation) in request.observations.enumerated() {
            if let parsed = violations.observation(observation, at: position, now: now) { batch.append(parsed) }
            if position + 1 - batch.count == maxFaulty { break }
        }
        try violations.throwIfAny()
        return batch
    }
}

extension FieldViolations {
    fileprivate mutating func observation(
        _ given: VitalsV1.Observation, at position: Int, now: Instant
    ) -> NewObservation? {
        func field(_ name: String) -> String { "observations[\(position)].\(name)" }
        if !given.id.isEmpty { add(field("id"), "The service makes it.") }
        if given.recordedAt != nil { add(field("recorded_at"), "The service sets it.") }
        check(given.status == .unspecified, field("status"), "The service sets it.")
        check(given.version == 0, field("version"), "The service sets it.")
        let code = value(field("code"), given.code, LOINCCode.init(_:))
        let measurement = measurement(of: given, code, field)
        let effectiveAt = value(field("effective_at"), given.effectiveAt) { timestamp throws(InvalidValue) in
            try Instant(measuredAt: timestamp, now: now)
        }
        let offset = value(field("utc_offset_minutes"), given.utcOffsetMinutes, UTCOffset.init(minutes:))
        let source = value(field("source"), given.source, ObservationSource.init(_:))
        let device = optional(field("device_id"), given.deviceId, DeviceID.init(parsing:))
        let sequence = value(field("sequence"), given.sequence, SequenceNumber.init(_:))
        guard let code, let measurement, let effectiveAt, let offset, let source, let sequence,
            (device == nil) == (given.deviceId == nil), given.id.isEmpty, given.recordedAt == nil, given.status == .unspecified, given.version == 0
        else { return nil }
        return NewObservation(
            code: code, measurement: measurement, effectiveAt: effectiveAt, utcOffset: offset, source: source,
            device: device, sequence: sequence)
    }

    /// A value or components, whichever the code wants; any other code may have either, and not both.
    mutating func measurement(
        of given: VitalsV1.Observation, _ code: LOINCCode?, _ field: (String) -> String
    ) -> Measurement? {
        if code == VitalSigns.bloodPressurePanel { return bloodPressure(given, field) }
        guard given.components.isEmpty else {
            check(given.quantity == nil, field("quantity"), "A reading with components has no value of its own.")
            let components = components(given.components, field)
            return given.quantity == nil ? components.map(Measurement.components) : nil
        }
        return quantity(given.quantity, of: code, field("quantity")).map(Measurement.quantity)
    }

    /// Blood pressure is one reading with exactly two parts, which were taken together.
    private mutating func bloodPressure(
        _ given: VitalsV1.Observation, _ field: (String) -> String
    ) -> Measurement? {
        let wanted = [VitalSigns.systolicPressure.text, VitalSigns.diastolicPressure.text]
        let hasBoth = given.components.map(\.code).sorted() == wanted.sorted()
        check(
            hasBoth, field("components"),
            "Blood pressure has exactly two components, \(wanted[0]) (systolic) and \(wanted[1]) (diastolic).")
        check(given.quantity == nil, field("quantity"), "Blood pressure has components and no value of its own.")
        guard hasBoth else { return nil }
        let components = components(given.components, field)
        return given.quantity == nil ? components.map(Measurement.components) : nil
    }

    private mutating func components(
        _ given: [VitalsV1.Component], _ field: (String) -> String
    ) -> [Component]? {
        let most = 16
        guard given.count <= most else {
            add(field("components"), "There may be \(most) of them.")
            return nil
        }
        check(Set(given.map(\.code)).count == given.count, field("components"), "Two of them have the same code.")
        var components: [Component] = []
        for (position, component) in given.enumerated() {
            let place = field("components[\(position)]")
            let code = value("\(place).code", component.code, LOINCCode.init(_:))
            let quantity = quantity(component.quantity, of: code, "\(place).quantity")
            if let code, let quantity { components.append(Component(code: code, quantity: quantity)) }
        }
        return components.count == given.count && Set(components.map(\.code)).count == given.count ? components : nil
    }

    private mutating func quantity(
        _ given: VitalsV1.Quantity?, of code: LOINCCode?, _ field: @autoclosure () -> String
    ) -> Quantity? {
        guard let given else {
            add(field(), "The field is needed.")
            return nil
        }
        let number = value("\(field()).value", given.value, DecimalNumber.init(_:))
        let unit = value("\(field()).unit", given.unit) { text throws(InvalidValue) in
            let unit = try UCUMUnit(text)
            if let code, let allowed = VitalSigns.units(of: code), !allowed.contains(unit.text) {
                throw InvalidValue("must be \(allowed.joined(separator: " or ")) for \(code.text)")
            }
            return unit
        }
        guard let number, let unit else { return nil }
        return Quantity(value: number, unit: unit)
    }
}
