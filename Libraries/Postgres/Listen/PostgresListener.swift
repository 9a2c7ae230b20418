internal import ConnectionPool
package import Logging
internal import Time

/// What a listener learns.
package enum ListenerEvent: Sendable, Hashable {
    /// From here on every notification is told. `afterGap`: there was listening before and notifications may have been
    /// missed, so what they stand for has to be read anew.
    case listening(afterGap: Bool)
    case notification(Notification)
}

/// Listens to channels of NOTIFY on a connection of its own, and connects again when that is lost.
///
/// NOTIFY keeps nothing for who is not there, so it can say only *that* something changed. A listener reads its tables after each
/// `.listening`, and then what the notifications name. The connection must lead to the server itself: pgbouncer's transaction
/// mode gives the session to others.
package struct PostgresListener: Sendable {
    /// Notifications that wait for their reader. If more come they are dropped, and the gap is told.
    static let capacity = 1_024

    private let configuration: PostgresConfiguration
    private let sql: String
    private let logger: Logger

    /// - Parameter channels: names as SQL has them between quotes; at least one.
    package init(configuration: PostgresConfiguration, channels: [StaticString], logger: Logger) {
        precondition(!channels.isEmpty, "who listens names a channel")
        self.configuration = configuration
        self.logger = logger
        sql = channels.map { channel in
            let name = "\(channel)".split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            return "LISTEN \"\(name)\""
        }.joined(separator: "; ")
    }

    /// Lends the events to `body`; the connection is closed when `body` ends. Nothing is connected before the first event
    /// is asked for.
    package func withEvents<Value>(_ body: (ListenerEvents) async throws -> Value) async rethrows -> Value {
        let session = ListenerSession(configuration: configuration, sql: sql, logger: logger)
        do {
            let value = try await body(ListenerEvents(session: session))
            await session.close()
            return value
        } catch {
            await session.close()
            throw error
        }
    }
}

/// The events of one listener, for one reader. They end when the reader's task is cancelled, and never before.
package struct ListenerEvents: AsyncSequence, Sendable {
    package typealias Failure = Never

    fileprivate let session: ListenerSession

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(session: session) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let session: ListenerSession

        package func next() async -> ListenerEvent? { await session.next() }
        package func next(isolation actor: isolated (any Actor)?) async -> ListenerEvent? { await session.next() }
    }
}

/// The connection of a listener, or the next attempt at one.
private actor ListenerSession {
    private let configuration: PostgresConfiguration
    private let sql: String
    private let logger: Logger
    private var listening: (connection: Connection, mailbox: Mailbox)?
    private var hasListened = false
    private var failures = 0

    init(configuration: PostgresConfiguration, sql: String, logger: Logger) {
        self.configuration = configuration
        self.sql = sql
        self.logger = logger
    }

    func next() async -> ListenerEvent? {
        while !Task.isCancelled {
            guard let (connection, mailbox) = listening else {
                if await listen() {
                    defer { hasListened = true }
                    return .listening(afterGap: hasListened)
                }
                continue
            }
            switch await mailbox.next() {
            case .notification(let notification): return .notification(notification)
            case .overflow: return .listening(afterGap: true)
            case .cancelled: return nil
            case .broken:
                listening = nil
                await connection.close()
            }
        }
        return nil
    }

    func close() async {
        await listening?.connection.close()
        listening = nil
    }

    /// One attempt, after a pause if the last one failed.
    private func listen() async -> Bool {
        if failures > 0 {
            let doublings = min(failures - 1, 16)
            let pool = configuration.pool
            let whole = min(pool.initialBackoff * (1 << doublings), pool.maximumBackoff)
            // Cancelled with its reader, who sees that himself.
            try? await Task.sleep(for: whole * Double.random(in: 0.5...1))
        }
        do throws(PostgresError) {
            let connection = try await Connection.open(configuration)
            let mailbox = Mailbox(capacity: PostgresListener.capacity)
            connection.onNotification { mailbox.put($0) }
            connection.onBreak { mailbox.end() }
            let submission = Submission(Exchange(body: .script(sql)), deadline: .after(configuration.connectTimeout))
            let (outcome, _) = await connection.perform(submission)
            guard case .completed = outcome else {
                await connection.close()
                throw PostgresError(.connectionFailed, "The server did not take a LISTEN.")
            }
            failures = 0
            listening = (connection, mailbox)
            return true
        } catch {
            failures += 1
            if error.code != .queryCancelled {
                logger.warning("No connection to listen on", metadata: ["error": "\(error)"])
            }
            return false
        }
    }
}
