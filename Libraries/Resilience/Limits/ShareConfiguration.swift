/// How a replica finds out that the limits' Redis is away, and what it may let through then.
package struct ShareConfiguration: Sendable {
    /// How long a call waits for Redis that may go on without it.
    package var patience: Duration = .milliseconds(30)
    /// How long a call waits that must be counted, and how long a probe does.
    package var longPatience: Duration = .milliseconds(500)
    /// How often Redis is asked whether it is back.
    package var probeInterval: Duration = .milliseconds(100)
    /// How often a replica says that it lives.
    package var heartbeat: Duration = .seconds(1)
    /// How long a replica counts that says nothing any more.
    package var memberLife: Duration = .seconds(5)
    /// How many replicas one believes in that has never heard from Redis.
    package var assumedReplicas = 4
    /// The part of a limit that all replicas together may let through beyond it when Redis is lost.
    package var leased = 0.1
    /// Keys that are remembered for each limiter.
    package var maxKeys = 100_000

    package init() {}
}
