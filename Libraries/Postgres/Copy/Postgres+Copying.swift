extension Postgres {
    /// Writes rows into a table by COPY in one transaction, and tells how many. Takes several round trips and holds a
    /// connection until the rows end, so the rows should be at hand. No more than one chunk of 64 KiB is buffered: where
    /// the server is slower than `rows`, `rows` is not asked for more. Rows that are sorted as the largest index of the table may
    /// load faster, since neighbours come to the same pages.
    ///
    /// PostgreSQL refuses COPY into tables whose row-level security applies to the role (0A000); `BatchInsertManager`
    /// writes those.
    ///
    /// - Parameter encode: writes one element's values, one a column.
    /// - Throws: what `rows` or `encode` throws; `.decoding` if a value's type is not its column's; `PostgresError` as
    ///   `rows(_:as:)` does, with the number of the `row` that the server refused. Nothing is committed then.
    @discardableResult
    package func copy<Rows: AsyncSequence & Sendable>(
        _ rows: Rows, into target: TableColumns, identity: Identity = .none, tier: TimeoutTier = .batch,
        encode: @escaping @Sendable (inout CopyRow, Rows.Element) throws -> Void
    ) async throws -> Int {
        try await withSession(identity, tier, .readWrite) { session -> Result<Int, any Error> in
            do {
                let source = CopySource(rows: rows, target: target, session: session, encode: encode)
                return .success(try await source.run())
            } catch {
                return .failure(error)
            }
        }.get()
    }

    /// Writes rows that are in memory. See `copy(_:into:identity:tier:encode:)` above.
    @discardableResult
    package func copy<Element: Sendable>(
        _ rows: [Element], into target: TableColumns, identity: Identity = .none, tier: TimeoutTier = .batch,
        encode: @escaping @Sendable (inout CopyRow, Element) throws -> Void
    ) async throws -> Int {
        try await copy(RowsInMemory(rows: rows), into: target, identity: identity, tier: tier, encode: encode)
    }
}

/// An array as an asynchronous sequence.
private struct RowsInMemory<Element: Sendable>: AsyncSequence, Sendable {
    let rows: [Element]

    struct AsyncIterator: AsyncIteratorProtocol {
        var rows: IndexingIterator<[Element]>
        mutating func next() async -> Element? { rows.next() }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rows: rows.makeIterator()) }
}

/// One COPY to the server.
private struct CopySource<Rows: AsyncSequence & Sendable>: Sendable {
    let rows: Rows
    let target: TableColumns
    let session: Session
    let encode: @Sendable (inout CopyRow, Rows.Element) throws -> Void

    private enum Event: Sendable {
        case answered(Result<Session.Answer, PostgresError>)
        /// The rows have ended, or the server wants no more of them.
        case sent(Result<Int, any Error>)
    }

    func run() async throws -> Int {
        let columnTypes = try await begin()
        let channel = CopyChannel(.toServer)
        let (answer, sent) = await withTaskGroup(of: Event.self) { group in
            group.addTask {
                let answer = await session.copy(target.copy, channel)
                session.connection.close(channel)
                return .answered(answer)
            }
            group.addTask {
                do {
                    let count = try await send(columnTypes, to: channel)
                    session.connection.end(channel, .complete)
                    return .sent(.success(count))
                } catch {
                    session.connection.end(channel, .failed("its rows ended with an error"))
                    return .sent(.failure(error))
                }
            }
            var answer: Result<Session.Answer, PostgresError>?
            var sent: Result<Int, any Error>?
            for await event in group {
                switch event {
                case .answered(let result):
                    answer = result
                    // A server that has refused is not to wait for rows that may never come.
                    group.cancelAll()
                case .sent(let result): sent = result
                }
            }
            return (answer, sent)
        }
        // An error of the rows makes the COPY fail, and the COPY's failure cancels the rows: the cause is told.
        if case .failure(let error)? = sent, !(error is CancellationError) { throw error }
        _ = try answer?.get()
        let count = try sent?.get() ?? 0
        _ = try await session.run(.statements([]), begins: false, commits: true, isCancellable: false)
        return count
    }

    /// Begins the transaction and asks for the columns' types.
    private func begin() async throws(PostgresError) -> [UInt32?] {
        // Only errors are to be told while data is moved (`Connection.receiveOfCopy`).
        let quiet: Query = "SELECT set_config('client_min_messages', 'error', true)"
        let answer = try await session.run(.statements([quiet, target.types]), begins: true, commits: false)
        guard let types = answer.results.last else { return [] }
        return try types.decode(as: Scalar<PostgresOID?>.self).map { $0.value?.rawValue }
    }

    private func send(_ columnTypes: [UInt32?], to channel: CopyChannel) async throws -> Int {
        var writer = CopyWriter(columnCount: target.columns.count)
        for try await row in rows {
            let isWellFormed = try writer.write { try encode(&$0, row) }
            guard isWellFormed else {
                throw PostgresError(
                    .decoding, "A row for \(target.table) has not one value a column, each of one type.",
                    row: writer.rowCount - 1
                )
            }
            if writer.rowCount == 1 { try check(writer.types, against: columnTypes) }
            guard writer.isFull else { continue }
            guard await session.connection.put(writer.takeChunk(), into: channel) else { return writer.rowCount }
        }
        try Task.checkCancellation()
        if writer.rowCount > 0 {
            _ = await session.connection.put(writer.takeChunk() + CopyFormat.trailer, into: channel)
        } else {
            _ = await session.connection.put(CopyFormat.header + CopyFormat.trailer, into: channel)
        }
        return writer.rowCount
    }

    /// COPY takes the bytes of one type for another's without a word if only their number fits.
    private func check(_ types: [UInt32], against columnTypes: [UInt32?]) throws(PostgresError) {
        for (index, (type, columnType)) in zip(types, columnTypes).enumerated() {
            let name = target.columns[index]
            guard let columnType else {
                throw PostgresError(.decoding, "\(target.table) has no column “\(name)”.")
            }
            let (given, wanted) = (PostgresType(rawValue: type), PostgresType(rawValue: columnType))
            guard given == wanted || given.isTextual && wanted.isTextual else {
                throw PostgresError(.decoding, "Column “\(name)” of \(target.table) is of type \(wanted), not \(given).")
            }
        }
    }
}

/// The number of an object of the catalogue.
private struct PostgresOID: PostgresDecodable {
    let rawValue: UInt32

    init(postgres bytes: Span<UInt8>, type: PostgresType) throws(DecodingFailure) {
        guard type == .oid, let value = bytes.bigEndian(UInt32.self) else { throw .mismatch(type, UInt32.self) }
        rawValue = value
    }
}

extension TableColumns {
    fileprivate var copy: String { "COPY \(table) (\(list)) FROM STDIN (FORMAT binary)" }

    /// The columns' types, without the right to read them: the plan of a statement that is never run tells them.
    fileprivate var types: Query {
        var parameters = Parameters()
        parameters.append(table)
        parameters.append(columns)
        return Query(sql: """
            SELECT CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
            FROM unnest($2) WITH ORDINALITY AS c (name, place)
            LEFT JOIN pg_catalog.pg_attribute a
                ON a.attrelid = $1::pg_catalog.regclass AND a.attname = (pg_catalog.parse_ident(c.name))[1]
                AND NOT a.attisdropped
            LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
            ORDER BY c.place
            """, parameters: parameters)
    }
}
