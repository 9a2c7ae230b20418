/// What a cache has done since the program began.
package struct CacheStatistics: Sendable, Hashable {
    package init() {}

    /// How long looks into a tier took.
    package struct Latency: Sendable, Hashable {
        /// Looks that were timed: one in 64 of this process's memory, and every other.
        package let samples: Int
        package let mean: Duration
        package let p95: Duration
    }

    /// Of one tier.
    package struct Tier: Sendable, Hashable {
        package internal(set) var hits = 0
        package internal(set) var misses = 0
        /// Times that it could not be asked, which say nothing about what it holds.
        package internal(set) var failures = 0
        package internal(set) var latency = Latency(samples: 0, mean: .zero, p95: .zero)

        /// Of what could be asked; `nil` while nothing was.
        package var hitRate: Double? { hits + misses == 0 ? nil : Double(hits) / Double(hits + misses) }
    }

    /// This process's memory.
    package internal(set) var local = Tier()
    /// Redis.
    package internal(set) var shared = Tier()
    /// Values fetched from where they come from.
    package internal(set) var loads = 0
    package internal(set) var loadLatency = Latency(samples: 0, mean: .zero, p95: .zero)
    package internal(set) var failedLoads = 0
    /// Callers that waited for a value that another was fetching.
    package internal(set) var joined = 0
    /// Values served although they were stale, while they were fetched anew.
    package internal(set) var servedStale = 0
    /// Values that were fetched and not kept, for they were larger than `maxValueBytes`.
    package internal(set) var tooLarge = 0
    /// Entries that had to go from this process's memory for others.
    package internal(set) var evictions = 0
    /// Entries in this process's memory now.
    package internal(set) var localEntries = 0
    /// Bytes of the values that were written to Redis, and what they were once written.
    package internal(set) var bytesBefore = 0
    package internal(set) var bytesAfter = 0
}
