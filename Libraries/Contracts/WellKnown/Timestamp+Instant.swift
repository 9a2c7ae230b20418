package import Time

extension GoogleProtobuf.Timestamp {
    package init(_ instant: Instant) {
        let (seconds, microseconds) = instant.microsecondsSinceEpoch.quotientAndRemainder(dividingBy: 1_000_000)
        // Nanoseconds count forward from their second, before 1970 too.
        self.init(
            seconds: microseconds < 0 ? seconds - 1 : seconds,
            nanos: Int32(microseconds < 0 ? microseconds + 1_000_000 : microseconds) * 1_000)
    }
}

extension Instant {
    /// Digits below a microsecond, which an instant does not hold, are dropped. `nil` outside the years 1 to 9999, and for
    /// nanoseconds that are not within a second.
    package init?(_ timestamp: GoogleProtobuf.Timestamp) {
        guard WellKnownText.timestampSeconds.contains(timestamp.seconds), (0...999_999_999).contains(timestamp.nanos)
        else { return nil }
        self.init(microsecondsSinceEpoch: timestamp.seconds * 1_000_000 + Int64(timestamp.nanos) / 1_000)
    }
}
