internal import Application
internal import Audit
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// What a caller asks of `ListAccessEvents`.
struct AccessEventList {
    /// For one more than the page holds.
    let query: AccessQuery
    private let size: Int
    private let filters: [String]

    init(_ request: UsersV1.ListAccessEventsRequest) throws(RPCError) {
        var violations = FieldViolations()
        let size = violations.pageSize(request.pageSize, usual: 20, most: 100)
        let action = request.action == .unspecified ? nil : violations.value("action", request.action, AuditEvent.Action.init(_:))
        let start = violations.optional("start_time", request.startTime, Self.moment)
        let end = violations.optional("end_time", request.endTime, Self.moment)
        if let start, let end { violations.check(start < end, "end_time", "Must be after start_time.") }
        self.size = try violations.complete(size)
        filters = ["access", action?.rawValue ?? "", start?.rfc3339 ?? "", end?.rfc3339 ?? ""]
        let place = try AccessQuery.Place(request.pageToken, of: filters)
        query = AccessQuery(action: action, start: start, end: end, place: place, limit: self.size + 1)
    }

    private static func moment(_ timestamp: GoogleProtobuf.Timestamp) throws(InvalidValue) -> Instant {
        guard let instant = Instant(timestamp) else { throw InvalidValue("is not a moment of the years 1 to 9999") }
        return instant
    }

    func page(_ read: [RecordedEvent], completeSince: Instant?) -> UsersV1.ListAccessEventsResponse {
        let (page, next) = PageToken.page(read, of: size) { AccessQuery.Place($0).token(of: filters) }
        return UsersV1.ListAccessEventsResponse(
            events: page.map { .init($0.event) }, nextPageToken: next, completeSince: completeSince.map { .init($0) })
    }
}

extension AccessQuery.Place {
    init(_ event: RecordedEvent) {
        self.init(occurredAt: event.event.occurredAt, writer: event.writer, sequence: event.sequence)
    }

    func token(of filters: [String]) -> PageToken {
        PageToken(filters + ["\(occurredAt.microsecondsSinceEpoch)", writer.uuidString, "\(sequence)"])
    }

    /// `nil` for no token. Throws INVALID_ARGUMENT on `page_token`.
    init?(_ token: String, of filters: [String]) throws(RPCError) {
        guard let key = try PageToken.key(token, of: filters, parts: 3) else { return nil }
        guard let writer = UUID(uuidString: key[1]), let sequence = Int64(key[2]) else { throw PageToken.invalid }
        self.init(occurredAt: try PageToken.instant(key[0]), writer: writer, sequence: sequence)
    }
}
