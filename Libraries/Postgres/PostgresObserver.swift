/// Hears what the client's round trips took. It is told on the caller's task before the caller goes on, so it has to be quick.
package protocol PostgresObserver: Sendable {
    func ended(_ roundTrip: RoundTrip)
}

/// One round trip inside a transaction, or a wait for a connection that came to nothing.
package struct RoundTrip: Sendable {
    /// The statements' texts with their placeholders, in their order; no value is in them. Empty for a COMMIT alone, for a script,
    /// and where no connection was lent for a transaction whose statements were still to come.
    package let statements: [String]
    /// Until the pool lent a connection; nothing in a transaction's later round trips.
    package let waitedForConnection: Duration
    /// From sending until the last answer.
    package let waitedForServer: Duration
    /// `nil` if everything ran.
    package let failure: PostgresError.Code?
    /// Whether a connection was lent. Otherwise the server knows nothing of the statements.
    package let hadConnection: Bool

    package init(
        statements: [String], waitedForConnection: Duration, waitedForServer: Duration, failure: PostgresError.Code? = nil,
        hadConnection: Bool = true
    ) {
        self.statements = statements
        self.waitedForConnection = waitedForConnection
        self.waitedForServer = waitedForServer
        self.failure = failure
        self.hadConnection = hadConnection
    }
}
