internal import Application
internal import FoundationEssentials
internal import RPC
internal import Time

/// What a caller asks of a list, of which the newest comes first: all of it, or only what is not over.
struct OpenList {
    let openOnly: Bool
    let size: Int
    /// Behind what was made then. Ids do not tell: they may be the callers' own.
    let place: (at: Instant, id: UUID)?
    private let query: [String]

    init(_ name: String, openOnly: Bool, size: Int32, usual: Int = 20, token: String) throws(RPCError) {
        var violations = FieldViolations()
        let size = violations.pageSize(size, usual: usual, most: 100)
        self.size = try violations.complete(size)
        self.openOnly = openOnly
        query = [name, "\(openOnly)"]
        place = try PageToken.place(token, of: query)
    }

    /// A page of what was read with one more than the page holds, which tells whether there is another page.
    func page<Row>(_ read: [Row], place: (Row) -> (at: Instant, id: UUID)) -> (rows: ArraySlice<Row>, next: String) {
        PageToken.page(read, of: size) { row in
            let place = place(row)
            return PageToken(of: query, behind: place.at, place.id)
        }
    }
}
