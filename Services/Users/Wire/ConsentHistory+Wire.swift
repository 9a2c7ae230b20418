internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// What a caller asks of `ListConsentHistory`.
struct ConsentHistoryList {
    /// `nil` for every kind.
    let kind: ConsentKind?
    let size: Int
    let place: (at: Instant, id: UUID)?

    init(_ request: UsersV1.ListConsentHistoryRequest) throws(RPCError) {
        var violations = FieldViolations()
        kind = request.kind == .unspecified ? nil : violations.value("kind", request.kind, ConsentKind.init(_:))
        let size = violations.pageSize(request.pageSize, usual: 20, most: 100)
        self.size = try violations.complete(size)
        place = try PageToken.place(request.pageToken, of: Self.query(kind))
    }

    private static func query(_ kind: ConsentKind?) -> [String] { ["consents", kind?.rawValue ?? ""] }

    /// A page of what was read with one more than the page holds, which tells whether there is another page.
    func page(_ read: [ConsentChange]) -> UsersV1.ListConsentHistoryResponse {
        let (page, next) = PageToken.page(read, of: size) { PageToken(of: Self.query(kind), behind: $0.happenedAt, $0.id) }
        return UsersV1.ListConsentHistoryResponse(changes: page.map { .init($0) }, nextPageToken: next)
    }
}

extension UsersV1.ConsentChange {
    init(_ change: ConsentChange) {
        self.init(
            kind: .init(change.kind), granted: change.isGranted, documentVersion: change.documentVersion,
            happenedAt: .init(change.happenedAt), epoch: change.epoch)
    }
}
