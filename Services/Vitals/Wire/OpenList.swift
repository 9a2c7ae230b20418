internal import Application
internal import FoundationEssentials
internal import RPC

/// What a caller asks of a list in the order of ids: all of it, or only what is not over.
struct OpenList {
    let openOnly: Bool
    let size: Int
    let place: UUID?
    private let query: [String]

    init(_ name: String, openOnly: Bool, size: Int32, usual: Int = 20, token: String) throws(RPCError) {
        var violations = FieldViolations()
        let size = violations.pageSize(size, usual: usual, most: 100)
        self.size = try violations.complete(size)
        self.openOnly = openOnly
        query = [name, "\(openOnly)"]
        place = try PageToken.id(token, of: query)
    }

    /// A page of what was read with one more than the page holds, which tells whether there is another page.
    func page<Row>(_ read: [Row], id: (Row) -> UUID) -> (rows: ArraySlice<Row>, next: String) {
        PageToken.page(read, of: size) { PageToken(of: query, behind: id($0)) }
    }
}
