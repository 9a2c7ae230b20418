package import Time

/// A file that old events have moved into, as the database knows it.
package struct AuditArchive: Hashable, Sendable {
    /// Of the whole file.
    package let sha256: [UInt8]
    /// Its events are older than this.
    package let before: Instant
    package let events: Int
    package let chains: Int

    package init(sha256: [UInt8], before: Instant, events: Int, chains: Int) {
        self.sha256 = sha256
        self.before = before
        self.events = events
        self.chains = chains
    }
}
