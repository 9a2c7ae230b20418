package import Logging
package import Redis
internal import Synchronization
internal import Time

/// What the caches of a process have in common: they hear of what other replicas change, and tell of their own changes.
///
/// `run` listens; without it, or while the channel is away, this process keeps nothing that Redis can be asked for.
package final class CacheHub: Sendable {
    let redis: Redis
    /// Names this process in what it tells.
    private let origin = String(UInt64.random(in: .min ... .max), radix: 36)
    private let subscription: RedisSubscription
    private let state: State

    /// What the subscription changes; apart from the hub, which holds the subscription.
    private final class State: Sendable {
        /// What Redis was not told of an entry.
        struct Doubt: Equatable {
            /// Until when Redis may still hold what the entry was.
            var until: Instant
            /// Changes that have ended, and of which Redis may know that they have begun: until their time is up it keeps nothing.
            var ended: Set<String> = []
            /// Tells two states apart between which nothing else differs.
            var changes = 0
        }

        struct Contents {
            var isHearing = false
            var caches: [String: (tier: LocalTier, counts: CacheCounts, forget: @Sendable (CacheKey) -> Void)] = [:]
            /// Entries that were changed while Redis could not be told.
            var doubtful: [CacheEntry: Doubt] = [:]
            /// Until when all that Redis holds is doubtful, for too many changes could not be told to name them.
            var allIsDoubtfulUntil = Instant(microsecondsSinceEpoch: 0)
        }

        let contents = Mutex(Contents())
    }

    private static let maxDoubtfulEntries = 10_000
    /// Of one entry. Those beyond are over when their time is up.
    private static let maxEndedChanges = 16

    /// - Parameters:
    ///   - redis: a client of the cache role, kept running by whoever made it.
    ///   - configuration: of the same server, for the connection that listens.
    package init(redis: Redis, configuration: RedisConfiguration, logger: Logger) {
        self.redis = redis
        let (state, origin) = (State(), origin)
        self.state = state
        subscription = RedisSubscription(configuration: configuration, logger: logger) { event in
            CacheHub.heard(event, state, origin)
        }
    }

    private static func heard(_ event: RedisSubscription.Event, _ state: State, _ origin: String) {
        switch event {
        case .subscribed: forgetAll(state, isHearing: true)
        case .lost: forgetAll(state, isHearing: false)
        case .message(let bytes):
            guard let change = ChangeMessage(bytes), change.origin != origin else { return }
            state.contents.withLock { $0.caches[change.cache] }?.forget(change.key)
        }
    }

    /// Also when changes begin to be heard: what was being fetched before may have been changed since, unheard.
    private static func forgetAll(_ state: State, isHearing: Bool) {
        let tiers = state.contents.withLock { contents in
            contents.isHearing = isHearing
            return contents.caches.values.map(\.tier)
        }
        for tier in tiers { tier.forgetAll() }
    }

    /// Whether changes that other replicas make are heard.
    package var isHearing: Bool { state.contents.withLock { $0.isHearing } }

    /// Listens, and tells Redis what it could not be told before, until the task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.subscription.run() }
            group.addTask { await self.catchUp() }
        }
    }

    /// - Parameter forget: takes an entry from the tier, and has nobody join those who fetch it already: what they get may be older than the change.
    func enter(_ tier: LocalTier, as cache: String, _ counts: CacheCounts, forget: @escaping @Sendable (CacheKey) -> Void) {
        state.contents.withLock { contents in
            precondition(contents.caches[cache] == nil, "two caches of one hub are called \(cache)")
            contents.caches[cache] = (tier, counts, forget)
        }
        subscription.add(ChangeMessage.channel(of: cache))
    }

    /// What each cache has done, by name.
    package var statistics: [(cache: String, statistics: CacheStatistics)] {
        let caches = state.contents.withLock { $0.caches }
        return caches.sorted { $0.key < $1.key }.map { ($0.key, $0.value.counts.statistics($0.value.tier)) }
    }

    /// Forgets an entry of a cache of this program, if it has such a cache.
    func forgetHere(_ entry: CacheEntry) {
        state.contents.withLock { $0.caches[entry.cache] }?.forget(entry.key)
    }

    func message(_ entry: CacheEntry) -> [UInt8] {
        ChangeMessage(origin: origin, cache: entry.cache, key: entry.key).bytes
    }

    // MARK: What Redis could not be told

    /// Redis may hold what the entry was before it was changed, until it was told or the entry's life is over.
    ///
    /// - Parameter writer: a change that has ended.
    func doubt(_ entry: CacheEntry, until: Instant, ended writer: String? = nil) {
        state.contents.withLock { contents in
            var doubt = contents.doubtful[entry] ?? State.Doubt(until: until)
            doubt.until = max(doubt.until, until)
            doubt.changes += 1
            if let writer, doubt.ended.count < CacheHub.maxEndedChanges { doubt.ended.insert(writer) }
            contents.doubtful[entry] = doubt
            guard contents.doubtful.count > CacheHub.maxDoubtfulEntries else { return }
            contents.allIsDoubtfulUntil = contents.doubtful.values.reduce(contents.allIsDoubtfulUntil) { max($0, $1.until) }
            contents.doubtful = [:]
        }
    }

    func isDoubtful(_ entry: CacheEntry) -> Bool {
        state.contents.withLock { contents in
            if contents.doubtful.isEmpty, contents.allIsDoubtfulUntil.microsecondsSinceEpoch == 0 { return false }
            let now = Instant.now()
            return now < contents.allIsDoubtfulUntil || contents.doubtful[entry].map { now < $0.until } ?? false
        }
    }

    private func catchUp() async {
        // Cancellation ends the wait, and the loop with it.
        while (try? await Task.sleep(for: .milliseconds(250))) != nil {
            let now = Instant.now()
            let doubtful = state.contents.withLock { contents in
                contents.doubtful = contents.doubtful.filter { now < $0.value.until }
                return contents.doubtful
            }
            for (entry, doubt) in doubtful {
                let shared = SharedTier(redis: redis, cache: entry.cache, timeout: .seconds(1))
                var isTold = true
                // A change that has not ended keeps its mark.
                let writers = doubt.ended.isEmpty ? [""] : doubt.ended
                for writer in writers where isTold {
                    isTold = await shared.endChange(of: [entry], writer: writer, telling: message)
                }
                guard isTold else { break }
                state.contents.withLock { contents in
                    // Another change may have come meanwhile, and Redis may not know of that one.
                    if contents.doubtful[entry] == doubt { contents.doubtful[entry] = nil }
                }
            }
        }
    }
}
