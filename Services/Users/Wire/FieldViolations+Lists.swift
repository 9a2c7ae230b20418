internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

extension FieldViolations {
    /// An instant that has to be there.
    mutating func instant(_ field: String, _ given: GoogleProtobuf.Timestamp?) -> Instant? {
        value(field, given) { given throws(InvalidValue) in
            guard let given else { throw InvalidValue("is needed") }
            return try Instant(checking: given)
        }
    }

    /// The instants from one on and before another; what is absent is far away.
    mutating func period(_ startAt: GoogleProtobuf.Timestamp?, _ endAt: GoogleProtobuf.Timestamp?) -> Range<Instant>? {
        let start = startAt.map { instant("start_at", $0) } ?? .firstOfAll
        let end = endAt.map { instant("end_at", $0) } ?? .lastOfAll
        guard let start, let end else { return nil }
        return value("end_at", (start, end)) { ends throws(InvalidValue) in
            guard ends.0 <= ends.1 else { throw InvalidValue("is before the start") }
            return ends.0..<ends.1
        }
    }
}

extension Instant {
    /// The first and the last instant that a `google.protobuf.Timestamp` can name.
    static let firstOfAll = Instant(microsecondsSinceEpoch: -62_135_596_800_000_000)
    static let lastOfAll = Instant(microsecondsSinceEpoch: 253_402_300_799_999_999)
}
