internal import Synchronization

extension Postgres {
    /// Lends the rows of a query to `body` as they arrive, by COPY, in a read-only transaction. For results that are too
    /// large to be held: no more than a chunk of 64 KiB and what libpq has read is in memory, and the server waits for who
    /// reads.
    ///
    /// COPY takes no parameters, so the query is a literal; it finds values in the identity's settings by
    /// `current_setting`.
    ///
    /// - Throws: what `body` throws. The rows throw `PostgresError` as `rows(_:as:)` does. `body` may leave before the
    ///   end: the server is then asked to stop.
    package func copy<Value: RowDecodable, Outcome>(
        from query: StaticString, as type: Value.Type, identity: Identity = .none, tier: TimeoutTier = .batch,
        _ body: (CopiedRows<Value>) async throws -> Outcome
    ) async throws -> Outcome {
        try await withSession(identity, tier, .readOnly) { session -> Result<Outcome, any Error> in
            do {
                // Run for its columns' names and types, which COPY does not tell.
                let description = Query(sql: "SELECT * FROM (\(query)) AS copied LIMIT 0")
                let answer = try await session.run(.statements([description]), begins: true, commits: false)
                guard let columns = answer.results.first?.result.columns else {
                    throw PostgresError(.decoding, "The server gave no description of a COPY's columns.")
                }

                let channel = CopyChannel(.fromServer)
                let ending = CopyEnding()
                async let end: Void = {
                    let answer = await session.copy("COPY (\(query)) TO STDOUT (FORMAT binary)", channel)
                    session.connection.close(channel)
                    ending.set(answer)
                }()
                let rows = CopiedRows<Value>(
                    connection: session.connection, channel: channel, columns: columns, ending: ending
                )
                let outcome: Result<Outcome, any Error>
                do { outcome = .success(try await body(rows)) } catch { outcome = .failure(error) }
                session.connection.abandon(channel)
                await end
                return outcome
            } catch {
                return .failure(error)
            }
        }.get()
    }
}

/// The rows of a COPY from the server. They can be read once.
package struct CopiedRows<Value: RowDecodable>: AsyncSequence {
    package typealias Failure = PostgresError

    fileprivate let connection: Connection
    fileprivate let channel: CopyChannel
    fileprivate let columns: [ResultColumn]
    fileprivate let ending: CopyEnding

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rows: self) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let rows: CopiedRows
        private var reader = CopyReader()
        private var result: ResultHandle?
        private var position = 0

        fileprivate init(rows: CopiedRows) { self.rows = rows }

        package mutating func next() async throws -> Value? {
            try await next(isolation: #isolation)
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(PostgresError) -> Value? {
            while true {
                if let result, position < result.rowCount {
                    defer { position += 1 }
                    return try Value(row: Row(result: result, index: position))
                }
                guard !reader.hasTrailer else { return nil }
                guard let chunk = await rows.connection.take(from: rows.channel) else {
                    _ = try await rows.ending.value.get()
                    throw PostgresError(.decoding, "The rows of a COPY ended in the middle.")
                }
                reader.received(chunk)
                result = try parse()
                position = 0
            }
        }

        /// The rows that have arrived whole.
        private mutating func parse() throws(PostgresError) -> ResultHandle? {
            var parsed: [[Range<Int>?]] = []
            do throws(CopyReader.Malformed) {
                while let row = try reader.nextRow(columnCount: rows.columns.count) { parsed.append(row) }
            } catch {
                throw PostgresError(.decoding, "The server sent what is not COPY's binary format.")
            }
            guard let result = ResultHandle(columns: rows.columns, rows: parsed, in: reader.bytes) else {
                throw PostgresError(.decoding, "No memory was left for the rows of a COPY.")
            }
            return result
        }
    }
}

/// How a COPY's exchange ended, for who reads the rows.
private final class CopyEnding: Sendable {
    typealias Answer = Result<Session.Answer, PostgresError>

    private struct State {
        var answer: Answer?
        var reader: CheckedContinuation<Answer, Never>?
    }

    private let state = Mutex(State())

    func set(_ answer: Answer) {
        let reader = state.withLock { state in
            state.answer = answer
            return state.reader.take()
        }
        reader?.resume(returning: answer)
    }

    /// Waits for it. For one reader.
    var value: Answer {
        get async {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state in
                    if state.answer == nil { state.reader = continuation }
                    return state.answer
                }
                if let answer { continuation.resume(returning: answer) }
            }
        }
    }
}
