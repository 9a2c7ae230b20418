/// Bounds of a worker.
package struct JobWorkerConfiguration: Sendable {
    /// Jobs that it runs at once.
    package var concurrency: Int
    /// How long a worker that is not heard of keeps its jobs. It is heard of three times in that time; another takes a job up within twice
    /// of it.
    package var lease: Duration
    /// How often an idle worker looks for work.
    package var pollInterval: Duration
    /// How long those that run may go on when the program is asked to stop. Then they are cancelled and given back.
    package var drainTimeout: Duration
    /// How long a handler that was cancelled may take to end. Then its job is given back all the same when the program stops, and otherwise its
    /// lease is not made longer any more.
    package var stopTimeout: Duration
    /// How long a job waits for a worker that knows it, such as that of a newer release, before it is a dead letter.
    package var unknownJobLife: Duration

    package init(
        concurrency: Int = 8, lease: Duration = .seconds(6), pollInterval: Duration = .milliseconds(250),
        drainTimeout: Duration = .seconds(20), stopTimeout: Duration = .seconds(2), unknownJobLife: Duration = .seconds(3_600)
    ) {
        precondition(concurrency > 0 && lease > .zero && pollInterval > .zero)
        self.concurrency = concurrency
        self.lease = lease
        self.pollInterval = pollInterval
        self.drainTimeout = drainTimeout
        self.stopTimeout = stopTimeout
        self.unknownJobLife = unknownJobLife
    }
}
