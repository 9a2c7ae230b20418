/// A pool's numbers at one moment, for its health report.
package struct PoolStatistics: Sendable, Hashable {
    /// Connections that are open, or being opened or closed.
    package let open: Int
    package let idle: Int
    /// Connections that somebody has borrowed.
    package let lent: Int
    /// Callers that wait for a connection.
    package let waiting: Int
    /// Connections that there may be.
    package let limit: Int
    /// Connections that are lent for longer than the configuration's `loanLimit`.
    package let overdue: Int
    /// Loans that lasted so long, since the pool began.
    package let longLoans: Int
}
