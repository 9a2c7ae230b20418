/// When a batch is written, and how much may wait for it.
package struct BatchConfiguration: Sendable, Hashable {
    /// Rows of one statement at most; so many make a batch complete.
    package var maximumRows: Int
    /// Bytes of values that make a batch complete as well, so that a statement has less than these and its last row.
    package var maximumBytes: Int
    /// How long a row waits for others before it is written with those that are there.
    package var maximumAge: Duration
    /// Rows that wait at once, over all identities. One more is refused: a longer line would only serve those who have
    /// given up.
    package var maximumQueued: Int
    /// Bytes of values that wait at once, over all identities. A row that exceeds them is refused, unless it would wait alone.
    package var maximumQueuedBytes: Int
    /// Batches that are written at the same time, each on a connection of the pool.
    package var maximumInFlight: Int
    /// The time that one batch has.
    package var tier: TimeoutTier

    package init(
        maximumRows: Int = 1_000, maximumBytes: Int = 8 << 20, maximumAge: Duration = .milliseconds(10),
        maximumQueued: Int = 20_000, maximumQueuedBytes: Int = 64 << 20, maximumInFlight: Int = 2, tier: TimeoutTier = .normal
    ) {
        precondition(maximumRows > 0 && maximumQueued > 0 && maximumInFlight > 0)
        precondition(maximumBytes > 0 && maximumQueuedBytes > 0)
        self.maximumRows = maximumRows
        self.maximumBytes = maximumBytes
        self.maximumAge = maximumAge
        self.maximumQueued = maximumQueued
        self.maximumQueuedBytes = maximumQueuedBytes
        self.maximumInFlight = maximumInFlight
        self.tier = tier
    }
}
