internal import Application
internal import Contracts
internal import Time

extension Instant {
    /// When something was measured: from 1900 on, and at most five minutes ahead of our clock, for clocks differ.
    init(measuredAt timestamp: GoogleProtobuf.Timestamp?, now: Instant) throws(InvalidValue) {
        guard let timestamp else { throw InvalidValue("is needed") }
        try self.init(checking: timestamp)
        guard self >= Instant(microsecondsSinceEpoch: -2_208_988_800_000_000) else {
            throw InvalidValue("is before the year 1900")
        }
        guard self <= now + .seconds(300) else { throw InvalidValue("is in the future") }
    }
}
