/// When a batch is written, and how much may wait for it.
package struct BatchConfiguration: Sendable, Hashable {
    /// Rows of one statement at most; so many make a batch complete.
    package var maximumRows: Int
    /// How long a row waits for others before it is written with those that are there.
    package var maximumAge: Duration
    /// Rows that wait at once, over all identities. One more is refused: a longer line would only serve those who have
    /// given up.
    package var maximumQueued: Int
    /// Batches that are written at the same time, each on a connection of the pool.
    package var maximumInFlight: Int
    /// The time that one batch has.
    package var tier: TimeoutTier

    package init(
        maximumRows: Int = 1_000, maximumAge: Duration = .milliseconds(10), maximumQueued: Int = 20_000,
        maximumInFlight: Int = 2, tier: TimeoutTier = .normal
    ) {
        precondition(maximumRows > 0 && maximumQueued > 0 && maximumInFlight > 0)
        self.maximumRows = maximumRows
        self.maximumAge = maximumAge
        self.maximumQueued = maximumQueued
        self.maximumInFlight = maximumInFlight
        self.tier = tier
    }
}
