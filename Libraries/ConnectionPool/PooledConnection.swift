/// What a pool has to know about a connection. It never speaks the connection's protocol.
package protocol PooledConnection: AnyObject, Sendable {
    /// Whether the connection may be lent again: open, and with nothing of its last borrower left on it.
    var isUsable: Bool { get }
    /// Asks the other end. Takes a bounded time; `false` closes the connection.
    func isHealthy() async -> Bool
    /// Calls `body` once when the connection breaks by itself, at once if it has broken already.
    func onBreak(_ body: @escaping @Sendable () -> Void)
    /// Ends the connection; returns when its resources are given back. May be called more than once.
    func close() async
    /// What it was last asked to do, without any value, for the report of a loan that lasts too long.
    var activity: String? { get }
}

/// Why a pool lends no connection.
package enum PoolError: Error, Sendable, CustomStringConvertible {
    /// No connection became free in time. If none could be opened either, the last attempt's error says why.
    case timedOut(after: Duration, connectFailure: (any Error)?)
    /// As many callers as the configuration allows are waiting already.
    case tooManyWaiters(Int)
    /// The caller's task was cancelled while it waited.
    case cancelled
    /// The pool is closing or closed.
    case shutDown

    package var description: String {
        switch self {
        case .timedOut(let duration, nil): "No connection became free within \(duration)."
        case .timedOut(let duration, let failure?): "No connection could be opened within \(duration): \(failure)"
        case .tooManyWaiters(let count): "\(count) callers are waiting for a connection already."
        case .cancelled: "The caller was cancelled while it waited for a connection."
        case .shutDown: "The connection pool has been shut down."
        }
    }
}
