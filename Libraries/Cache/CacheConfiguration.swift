/// How long and how much a cache keeps.
package struct CacheConfiguration: Sendable {
    /// Entries in this process.
    package var localEntries = 10_000
    /// How long this process serves an entry without asking Redis.
    package var localLife: Duration = .seconds(60)
    /// The same while Redis does not answer: the window in which this one may serve what another has changed. While Redis answers and
    /// only the channel is away on which other replicas tell of their changes, nothing is kept here.
    package var localLifeUnheard: Duration = .seconds(1)
    /// How long an entry is fresh.
    package var life: Duration = .seconds(300)
    /// For how much longer an entry may be served while it is fetched anew. Zero for what must never be stale.
    package var staleLife: Duration = .zero
    /// How long it is remembered that there is no such thing.
    package var absentLife: Duration = .seconds(10)
    /// Lives differ by this share at random, so that what came together does not go together.
    package var jitter = 0.1
    /// From how many bytes on values are packed.
    package var packingThreshold = 1_024
    /// Larger values, as they are before packing, are kept neither here nor in Redis: who asks has them fetched, one for all who ask at that moment.
    package var maxValueBytes = 1 << 20
    /// How long Redis may take; then it counts as failed, and the value is fetched.
    package var redisTimeout: Duration = .milliseconds(100)
    /// How long one process alone may fetch a value while others wait for it.
    package var leaseLife: Duration = .seconds(5)
    /// How many values may be fetched at a time while Redis fails or a lease is not to be had; the rest wait for their turn.
    package var maxUnsharedLoads = 16

    package init() {}
}
