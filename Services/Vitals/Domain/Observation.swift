internal import Application
internal import Time

/// One reading of one vital sign, as a caller gives it.
struct NewObservation: Hashable, Sendable {
    let code: LOINCCode
    let measurement: Measurement
    /// When it was true of the person.
    let effectiveAt: Instant
    let utcOffset: UTCOffset
    let source: ObservationSource
    var device: DeviceID?
    /// The number that the device, or the source for readings without one, gave the reading. With the same one it is
    /// the same reading, whatever else it says: what was kept first stays.
    let sequence: SequenceNumber
}

/// One reading as it is kept.
struct Observation: Equatable, Sendable {
    let id: ObservationID
    let code: LOINCCode
    let measurement: Measurement
    let effectiveAt: Instant
    let utcOffset: UTCOffset
    let source: ObservationSource
    let device: DeviceID?
    let sequence: SequenceNumber
    /// When it was kept.
    let recordedAt: Instant
    let status: ObservationStatus
    /// Counts from 1.
    let version: Int64
    /// Why it was changed last; empty if it never was.
    let reason: String

    var place: ReadingPlace { ReadingPlace(at: effectiveAt, id: id) }
}

/// Where a reading stands, as FHIR's Observation.status. The raw value is what the table holds.
enum ObservationStatus: String, Hashable, Sendable {
    case final, amended, corrected
    case enteredInError = "entered_in_error"
}

/// What a reading is to say from now on.
struct ObservationChange: Hashable, Sendable {
    let measurement: Measurement
    let effectiveAt: Instant
    let utcOffset: UTCOffset
    let status: ObservationStatus
    let reason: String

    /// Whether a reading says all of it already, as it does when the call is made again.
    func isMade(in observation: Observation) -> Bool {
        measurement == observation.measurement && effectiveAt == observation.effectiveAt && utcOffset == observation.utcOffset
            && status == observation.status && reason == observation.reason
    }
}

extension ObservationChange {
    /// It goes on saying what it said, as something that was not true.
    init(retracting observation: Observation, because reason: String) {
        self.init(
            measurement: observation.measurement, effectiveAt: observation.effectiveAt, utcOffset: observation.utcOffset,
            status: .enteredInError, reason: reason)
    }
}

/// What a reading said for some time.
struct ObservationVersion: Equatable, Sendable {
    let observation: Observation
    /// When it began to.
    let changedAt: Instant
}

/// How far a clock on the wall was ahead of UTC.
struct UTCOffset: Hashable, Sendable {
    let minutes: Int16

    /// From UTC−12 to UTC+14, the offsets that places on Earth have.
    static let allowed: ClosedRange<Int32> = -720...840

    init(minutes: Int32) throws(InvalidValue) {
        guard Self.allowed.contains(minutes) else { throw InvalidValue("must be -720 to 840") }
        self.minutes = Int16(minutes)
    }

    /// An offset that the table holds.
    init(stored: Int16) { minutes = stored }
}

/// What made a reading, for example `cgm`, `watch` or `manual`.
struct ObservationSource: Hashable, Sendable {
    let text: String

    static let maxBytes = 64

    init(_ given: String) throws(InvalidValue) {
        guard !given.isEmpty else { throw InvalidValue("is needed") }
        guard given.utf8.count <= Self.maxBytes,
            given.utf8.allSatisfy({ $0.isASCIILetterOrDigit || "._-".utf8.contains($0) })
        else { throw InvalidValue("must be \(Self.maxBytes) letters, digits, points, underscores and hyphens at most") }
        text = given
    }

    /// A source that the table holds.
    init(stored: String) { text = stored }
}

/// The number that a device or an app counts its readings or samples with.
struct SequenceNumber: Hashable, Sendable {
    let value: Int64

    init(_ given: Int64) throws(InvalidValue) {
        guard given >= 0 else { throw InvalidValue("must not be negative") }
        value = given
    }

    /// A number that the table holds.
    init(stored: Int64) { value = stored }
}
