/// When a dependency counts as failed, and how it is tried again.
package struct BreakerConfiguration: Sendable {
    /// The newest calls are judged: as many as these, none older than the window.
    package var minimumCalls = 20
    package var window: Duration = .seconds(10)
    /// The share of failures that opens.
    package var failureShare = 0.5
    /// Failures all at one moment, as when a process is killed under its calls, do not open: they have to go on for this long.
    package var minimumSpan: Duration = .milliseconds(250)
    /// A call that takes this long is slow, however it ends; a stream is not, however long it goes on.
    package var slowCall: Duration = .seconds(5)
    /// The share of slow calls that opens.
    package var slowShare = 0.8
    /// How long it stays open before the dependency is tried.
    package var openTime: Duration = .seconds(5)
    /// So many calls try it, and all have to succeed.
    package var probes = 3
    /// All replicas together try it with so many calls in `probeInterval`.
    package var sharedProbes = 3
    package var probeInterval: Duration = .seconds(1)
    /// A replica whose newest call succeeded does not open because others say so, for this long. It is also how long one that has hardly
    /// called goes on with a dependency that is gone, from its last success on.
    package var vetoLife: Duration = .seconds(1)
    /// How often replicas hear of each other.
    package var syncInterval: Duration = .milliseconds(150)
    /// How long a replica's verdict counts that says nothing any more.
    package var verdictLife: Duration = .seconds(3)

    package init() {}
}
