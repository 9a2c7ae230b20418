package import FoundationEssentials
package import RPC
package import Time

extension PageToken {
    /// A page of what was read with one row more than the page holds, which tells whether there is another page; and the text of that one's token,
    /// made of the page's last row, empty if there is none.
    package static func page<Row>(_ read: [Row], of size: Int, behind token: (Row) -> PageToken) -> (rows: ArraySlice<Row>, next: String) {
        let rows = read.prefix(size)
        guard read.count > size, let last = rows.last else { return (rows, "") }
        return (rows, token(last).text)
    }

    /// The same of rows that may outgrow an answer together: as they are told, and no more of them than fit into one. The token is of the last of those.
    package static func page<Row, Told: Message, Failure: Error>(
        _ read: [Row], of size: Int, telling tell: (Row) throws(Failure) -> Told, behind token: (Row) -> PageToken
    ) throws(Failure) -> (told: [Told], next: String) {
        let told = try AnswerBytes.fitting(read.prefix(size), telling: tell)
        guard told.count < read.count, let last = told.indices.last else { return (told, "") }
        return (told, token(read[last]).text)
    }

    /// A page's token holds the query that it belongs to beside the place where it goes on, so that it cannot be used with another query.
    package init(of query: [String], behind instant: Instant, _ id: UUID) {
        self.init(query + ["\(instant.microsecondsSinceEpoch)", id.uuidString])
    }

    /// The place in a token that `init(of:behind:_:)` made for this query; `nil` for no token. Throws INVALID_ARGUMENT on `page_token`.
    package static func place(_ token: String, of query: [String]) throws(RPCError) -> (at: Instant, id: UUID)? {
        guard let key = try Self.key(token, of: query, parts: 2) else { return nil }
        guard let id = UUID(uuidString: key[1]) else { throw PageToken.invalid }
        return (try instant(key[0]), id)
    }

    /// The same for a list in the order of ids.
    package init(of query: [String], behind id: UUID) { self.init(query + [id.uuidString]) }

    /// The id in a token that `init(of:behind:)` made for this query; `nil` for no token. Throws INVALID_ARGUMENT on `page_token`.
    package static func id(_ token: String, of query: [String]) throws(RPCError) -> UUID? {
        guard let key = try Self.key(token, of: query, parts: 1) else { return nil }
        guard let id = UUID(uuidString: key[0]) else { throw PageToken.invalid }
        return id
    }

    /// What a token of this query says behind it, so many parts; `nil` for no token. Throws INVALID_ARGUMENT on `page_token`, also for what PostgreSQL
    /// takes for no text.
    package static func key(_ token: String, of query: [String], parts count: Int) throws(RPCError) -> [String]? {
        guard !token.isEmpty else { return nil }
        let parts = try PageToken(parsing: token, parts: query.count + count).parts
        guard Array(parts.prefix(query.count)) == query, !parts.contains(where: \.hasNUL) else { throw PageToken.invalid }
        return Array(parts.dropFirst(query.count))
    }

    /// The years 1 to 9999, in microseconds since 1970. No row has another time, and not every other one can be compared with one.
    private static let instants: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999

    /// The time in a part of a token, microseconds since 1970. Throws INVALID_ARGUMENT on `page_token`.
    package static func instant(_ part: String) throws(RPCError) -> Instant {
        guard let microseconds = Int64(part), instants.contains(microseconds) else { throw PageToken.invalid }
        return Instant(microsecondsSinceEpoch: microseconds)
    }
}
