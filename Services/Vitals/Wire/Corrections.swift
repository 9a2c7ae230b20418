internal import Application
internal import Contracts
internal import RPC
internal import Time

/// What a caller asks of `CorrectObservation`, as far as it can be judged before the reading is known.
struct Correction: Sendable {
    let id: ObservationID
    let expectedVersion: Int64
    private let request: VitalsV1.CorrectObservationRequest
    private let status: ObservationStatus
    private let effectiveAt: Instant?
    private let utcOffset: UTCOffset?

    init(_ request: VitalsV1.CorrectObservationRequest, now: Instant = .now()) throws(RPCError) {
        var violations = FieldViolations()
        let id = violations.value("observation_id", request.observationId, ObservationID.init(parsing:))
        let status = violations.value("status", request.status) { status throws(InvalidValue) in
            switch status {
            case .unspecified, .corrected: ObservationStatus.corrected
            case .amended: ObservationStatus.amended
            default: throw InvalidValue("must be CORRECTED or AMENDED")
            }
        }
        effectiveAt = violations.optional("effective_at", request.effectiveAt) { timestamp throws(InvalidValue) in
            try Instant(measuredAt: timestamp, now: now)
        }
        utcOffset = violations.optional("utc_offset_minutes", request.utcOffsetMinutes, UTCOffset.init(minutes:))
        let version = violations.value("expected_version", request.expectedVersion, Int64.init(version:))
        violations.check(reason: request.reason)
        (self.id, self.status, expectedVersion) = try violations.complete(id, status, version)
        self.request = request
    }

    /// What the reading is to say; a code has the units and the parts that it had when it was recorded.
    func change(of observation: Observation) throws(RPCError) -> ObservationChange {
        var violations = FieldViolations()
        let given = VitalsV1.Observation(quantity: request.quantity, components: request.components)
        let measurement = violations.measurement(of: given, observation.code) { $0 }
        return ObservationChange(
            measurement: try violations.complete(measurement), effectiveAt: effectiveAt ?? observation.effectiveAt,
            utcOffset: utcOffset ?? observation.utcOffset, status: status, reason: request.reason)
    }
}

/// What a caller asks of `RetractObservation`.
struct Retraction: Sendable {
    let id: ObservationID
    let expectedVersion: Int64
    private let reason: String

    init(_ request: VitalsV1.RetractObservationRequest) throws(RPCError) {
        var violations = FieldViolations()
        let id = violations.value("observation_id", request.observationId, ObservationID.init(parsing:))
        let version = violations.value("expected_version", request.expectedVersion, Int64.init(version:))
        violations.check(reason: request.reason)
        (self.id, expectedVersion) = try violations.complete(id, version)
        reason = request.reason
    }

    func change(of observation: Observation) -> ObservationChange { ObservationChange(retracting: observation, because: reason) }
}

extension VitalsV1.ListObservationHistoryRequest {
    func parsed() throws(RPCError) -> (id: ObservationID, size: Int, version: Int64) {
        var violations = FieldViolations()
        let id = violations.value("observation_id", observationId, ObservationID.init(parsing:))
        let size = violations.pageSize(pageSize, usual: 100, most: 500)
        let (reading, limit) = try violations.complete(id, size)
        guard let key = try PageToken.key(pageToken, of: Self.query(reading), parts: 1) else { return (reading, limit, 0) }
        guard let version = Int64(key[0]) else { throw PageToken.invalid }
        return (reading, limit, version)
    }

    private static func query(_ id: ObservationID) -> [String] { ["observation history", id.text] }

    /// Where a page goes on.
    static func token(of id: ObservationID, behind version: Int64) -> PageToken { PageToken(query(id) + ["\(version)"]) }
}

extension Int64 {
    /// A version that a caller knows.
    init(version given: Int64) throws(InvalidValue) {
        guard given > 0 else { throw InvalidValue("is one or more") }
        self = given
    }
}

extension FieldViolations {
    fileprivate mutating func check(reason: String) {
        check(reason.codePointCount <= 500, "reason", "The field has more than 500 characters.")
        check(!reason.hasControlCharacter, "reason", "The field holds a control character.")
    }
}
