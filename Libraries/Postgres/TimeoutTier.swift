internal import Time

/// How long a query or a whole transaction may take. The names are those of the contract's method policy.
///
/// The limit that counts is the earlier of the tier's and of `Deadline.current`. The server enforces it
/// (`statement_timeout`), and the client cancels and at last closes the connection if the server does not answer.
package struct TimeoutTier: Sendable, Hashable {
    package let limit: Duration

    /// A limit that is none of the four, for jobs such as a migration.
    package init(limit: Duration) { self.limit = limit }

    package static let fast = TimeoutTier(limit: .seconds(5))
    package static let normal = TimeoutTier(limit: .seconds(30))
    package static let slow = TimeoutTier(limit: .seconds(60))
    package static let batch = TimeoutTier(limit: .seconds(300))

    /// When work that starts now has to be done.
    func deadline() -> Deadline {
        let own = Deadline.after(limit)
        return Deadline.earlier(own, Deadline.current) ?? own
    }
}
