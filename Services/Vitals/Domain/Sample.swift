internal import Application
internal import Time

/// One sample of a device's signal.
struct Sample: Hashable, Sendable {
    let at: Instant
    let sequence: SequenceNumber
    let value: Double
    /// 0 as it was first sent; of two samples of one instant and number the one with the higher revision holds.
    var revision: Int32 = 0
}

extension Sample: Comparable {
    /// As a series has them: by instant, and those of one instant by number.
    static func < (left: Sample, right: Sample) -> Bool { (left.at, left.sequence.value) < (right.at, right.sequence.value) }
}

/// What of a device is sampled, for example `ppg`.
struct MetricName: Hashable, Sendable {
    let text: String

    static let maxBytes = 64

    /// What codes are kept under begins with this, and no channel does.
    private static let coded = "loinc_"

    init(_ given: String) throws(InvalidValue) {
        guard !given.isEmpty else { throw InvalidValue("is needed") }
        guard given.utf8.count <= Self.maxBytes, given.utf8.first?.isASCIILowercase == true,
            given.utf8.allSatisfy({ $0.isASCIILowercase || $0.isASCIIDigit || $0 == UInt8(ascii: "_") })
        else {
            throw InvalidValue("must be a letter and up to \(Self.maxBytes - 1) lower-case letters, digits and underscores")
        }
        guard !given.hasPrefix(Self.coded) else { throw InvalidValue("begins with \(Self.coded), which stands for codes") }
        text = given
    }

    /// What the series of a code is kept under.
    init(of code: LOINCCode) { text = Self.coded + code.text.replacing("-", with: "_") }

    /// A name that the table holds.
    init(stored: String) { text = stored }
}
