internal import Application
internal import Time

/// One sample of a device's signal.
struct Sample: Hashable, Sendable {
    let at: Instant
    let sequence: SequenceNumber
    let value: Double
}

/// What of a device is sampled, for example `ppg`.
struct MetricName: Hashable, Sendable {
    let text: String

    static let maxBytes = 64

    init(_ given: String) throws(InvalidValue) {
        guard !given.isEmpty else { throw InvalidValue("is needed") }
        guard given.utf8.count <= Self.maxBytes, given.utf8.first?.isASCIILowercase == true,
            given.utf8.allSatisfy({ $0.isASCIILowercase || $0.isASCIIDigit || $0 == UInt8(ascii: "_") })
        else {
            throw InvalidValue("must be a letter and up to \(Self.maxBytes - 1) lower-case letters, digits and underscores")
        }
        text = given
    }
}
