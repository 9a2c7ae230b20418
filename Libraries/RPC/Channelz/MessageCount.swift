package import Time

/// Messages that went one way over a connection, since it was made.
package struct MessageCount: Sendable, Hashable {
    package private(set) var count = 0
    /// When the last one did, to the length of a batch of work.
    package private(set) var last: Instant?

    mutating func add(_ number: Int = 1, at time: Instant) {
        guard number > 0 else { return }
        count += number
        last = time
    }
}
