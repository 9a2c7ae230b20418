internal import Contracts
internal import Time

extension GoogleProtobuf.Timestamp {
    init(_ instant: Instant) {
        let (seconds, microseconds) = instant.microsecondsSinceEpoch.quotientAndRemainder(dividingBy: 1_000_000)
        // Nanoseconds count forward from their second, before 1970 too.
        self.init(
            seconds: microseconds < 0 ? seconds - 1 : seconds,
            nanos: Int32(microseconds < 0 ? microseconds + 1_000_000 : microseconds) * 1_000)
    }
}

extension Instant {
    /// Digits below a microsecond, which the database does not hold, are dropped.
    init(_ timestamp: GoogleProtobuf.Timestamp) throws(InvalidValue) {
        guard (0...999_999_999).contains(timestamp.nanos),
            (-62_135_596_800...253_402_300_799).contains(timestamp.seconds)
        else { throw InvalidValue("is not a timestamp between the years 1 and 9999") }
        self.init(microsecondsSinceEpoch: timestamp.seconds * 1_000_000 + Int64(timestamp.nanos) / 1_000)
    }

    /// When something was measured: from 1900 on, and at most five minutes ahead of our clock, for clocks differ.
    init(measuredAt timestamp: GoogleProtobuf.Timestamp?, now: Instant) throws(InvalidValue) {
        guard let timestamp else { throw InvalidValue("is needed") }
        try self.init(timestamp)
        guard self >= Instant(microsecondsSinceEpoch: -2_208_988_800_000_000) else {
            throw InvalidValue("is before the year 1900")
        }
        guard self <= now + .seconds(300) else { throw InvalidValue("is in the future") }
    }
}
