/// How many connections a pool keeps, and how long it waits for what.
package struct PoolConfiguration: Sendable, Hashable {
    /// Connections that are kept open even when nobody needs them.
    package var minimumConnections: Int
    /// Connections that are open, or being opened, at most.
    package var maximumConnections: Int
    /// How long a caller waits for a connection before it gets an error.
    package var acquireTimeout: Duration
    /// How many callers may wait at once. One more is turned away immediately: a longer queue would only answer those
    /// who have given up.
    package var maximumWaiters: Int
    /// A connection above the minimum is closed when nobody needed it for so long.
    package var idleTimeout: Duration
    /// A connection that nobody used for so long is asked whether it still works.
    package var healthCheckInterval: Duration
    /// The pause after a first failed attempt to connect; it doubles with every further failure up to `maximumBackoff`.
    /// What is waited is a random part between half and the whole of it, so that replicas do not return in step.
    package var initialBackoff: Duration
    package var maximumBackoff: Duration
    /// How long a pool that shuts down waits for connections that are still lent.
    package var drainTimeout: Duration
    /// A connection that is lent for longer is reported, with who borrowed it; `nil` if nobody looks. It costs a reading of the clock a
    /// loan, so only builds for debugging look by default.
    package var loanLimit: Duration?

    #if DEBUG
    package static let defaultLoanLimit: Duration? = .seconds(60)
    #else
    package static let defaultLoanLimit: Duration? = nil
    #endif

    package init(
        minimumConnections: Int = 2, maximumConnections: Int = 10, acquireTimeout: Duration = .seconds(3),
        maximumWaiters: Int = 256, idleTimeout: Duration = .seconds(60), healthCheckInterval: Duration = .seconds(30),
        initialBackoff: Duration = .milliseconds(100), maximumBackoff: Duration = .seconds(5),
        drainTimeout: Duration = .seconds(10), loanLimit: Duration? = PoolConfiguration.defaultLoanLimit
    ) {
        precondition(0 <= minimumConnections && minimumConnections <= maximumConnections && maximumConnections >= 1)
        self.minimumConnections = minimumConnections
        self.maximumConnections = maximumConnections
        self.acquireTimeout = acquireTimeout
        self.maximumWaiters = maximumWaiters
        self.idleTimeout = idleTimeout
        self.healthCheckInterval = healthCheckInterval
        self.initialBackoff = initialBackoff
        self.maximumBackoff = maximumBackoff
        self.drainTimeout = drainTimeout
        self.loanLimit = loanLimit
    }
}
