internal import Application
internal import Time

/// The instants from `start` on and before `end`.
struct Period: Hashable, Sendable {
    let start: Instant
    let end: Instant

    /// The first and the last instant that a `google.protobuf.Timestamp` can name.
    static let always = Period(
        uncheckedStart: Instant(microsecondsSinceEpoch: -62_135_596_800_000_000),
        end: Instant(microsecondsSinceEpoch: 253_402_300_799_999_999))

    init(start: Instant?, end: Instant?) throws(InvalidValue) {
        let start = start ?? Self.always.start
        let end = end ?? Self.always.end
        guard start <= end else { throw InvalidValue("is before the start") }
        self.init(uncheckedStart: start, end: end)
    }

    private init(uncheckedStart start: Instant, end: Instant) {
        self.start = start
        self.end = end
    }
}
