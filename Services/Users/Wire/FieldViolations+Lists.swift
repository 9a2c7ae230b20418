internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

extension FieldViolations {
    /// How many a page holds: what was asked for, or the usual number for 0.
    mutating func pageSize(_ asked: Int32, usual: Int, most: Int) -> Int? {
        value("page_size", Int(asked)) { asked throws(InvalidValue) in
            guard (0...most).contains(asked) else { throw InvalidValue("must be 1 to \(most), or 0 for \(usual)") }
            return asked == 0 ? usual : asked
        }
    }

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

    init(checking timestamp: GoogleProtobuf.Timestamp) throws(InvalidValue) {
        guard let instant = Instant(timestamp) else { throw InvalidValue("is not a timestamp between the years 1 and 9999") }
        self = instant
    }
}

extension PageToken {
    /// A page's token holds the query that it belongs to beside the place where it goes on, so that it cannot be used with another query.
    init(of query: [String], behind instant: Instant, _ id: UUID) {
        self.init(query + ["\(instant.microsecondsSinceEpoch)", id.uuidString])
    }

    /// The place in a token that `init(of:behind:_:)` made for this query; `nil` for no token. Throws INVALID_ARGUMENT on `page_token`.
    static func place(_ token: String, of query: [String]) throws(RPCError) -> (at: Instant, id: UUID)? {
        guard !token.isEmpty else { return nil }
        let parts = try PageToken(parsing: token, parts: query.count + 2).parts
        guard Array(parts.prefix(query.count)) == query, let microseconds = Int64(parts[query.count]),
            let id = UUID(uuidString: parts[query.count + 1])
        else { throw PageToken.invalid }
        return (Instant(microsecondsSinceEpoch: microseconds), id)
    }
}

extension UUID {
    /// As ids stand in answers.
    var text: String { uuidString.lowercased() }
}
