import ConnectionPool
import Logging
import TestSupport
import Testing
@testable import Postgres

@Suite struct `A transaction whose body goes on for long` {
    /// Passes on what is logged.
    private struct Passing: LogHandler {
        let lines: AsyncStream<String>.Continuation
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = (event.metadata ?? [:]).filter { $0.key != "seconds" }.sorted { $0.key < $1.key }
            lines.yield("\(event.message) " + metadata.map { "\($0.key)=\($0.value)" }.joined(separator: " "))
        }
    }

    @Test func `is named in the log, with its last statement and without a value`() async throws {
        let server = try await PostgresServer.shared
        let pool = PoolConfiguration(
            minimumConnections: 0, maximumConnections: 1, acquireTimeout: .seconds(60), loanLimit: .milliseconds(1))
        try await server.withDatabase(pool: pool) { configuration in
            let (lines, continuation) = AsyncStream<String>.makeStream()
            let postgres = Postgres(
                configuration: configuration, logger: Logger(label: "long") { _ in Passing(lines: continuation) })
            async let _: Void = postgres.run()

            var line: String?
            let place = #line + 2
            repeat {
                line = try await postgres.transaction(tier: .slow) { transaction in
                    try await transaction.execute("SELECT \("a value")")
                    var line = lines.makeAsyncIterator()
                    return await line.next()
                }
                // A busy machine may report the loan before its first statement.
            } while line?.hasSuffix("none yet") == true

            let file = "\(#fileID)"
            #expect(line == "A connection is lent for long borrower=\(file):\(place) statement=SELECT $1")
            #expect(postgres.statistics.longLoans >= 1)
        }
    }
}
