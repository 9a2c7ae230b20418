internal import Synchronization
internal import Time

/// Values that cost something to fetch, kept in this process, then in Redis for all replicas, each for a time.
///
///     let profile = try await profiles.value(for: key) { try await repository.find(user) }
///     try await profiles.changing([key]) { try await repository.update(profile) }
///
/// What is promised:
///
/// - However many ask for a value that is not there, one process fetches it, once; the others wait for it.
/// - After `changing` has returned, this process serves nothing older than the change, and neither does Redis. Other replicas
///   hear of it within milliseconds; a replica that does not hear forgets all it had.
/// - What was fetched before a change is never kept after it.
/// - When Redis fails, values are fetched without it, `maxUnsharedLoads` at a time, and kept here for `localLifeUnheard`.
package final class TieredCache<Value: Sendable>: Sendable {
    package let name: String
    private let hub: CacheHub
    private let codec: CacheCodec<Value>
    private let configuration: CacheConfiguration
    private let local: LocalTier
    private let shared: SharedTier
    private let flights = Flights<Value>()
    private let permits: LoadPermits
    private let counts = CacheCounts()

    /// - Parameter name: what it holds, such as `users.profile`; part of its keys in Redis, and used once in a hub.
    package init(
        _ name: String, hub: CacheHub, codec: CacheCodec<Value>, configuration: CacheConfiguration = CacheConfiguration()
    ) {
        self.name = name
        self.hub = hub
        self.codec = codec
        self.configuration = configuration
        local = LocalTier(capacity: configuration.localEntries)
        shared = SharedTier(redis: hub.redis, cache: name, timeout: configuration.redisTimeout)
        permits = LoadPermits(configuration.maxUnsharedLoads, maxWaiting: 1_024)
        hub.enter(local, as: name, counts) { [flights, local] key in
            flights.detach(key)
            local.forget(key)
        }
    }

    /// The value of a key, fetched by `load` where nobody has it; `nil` if there is no such thing, which is remembered too.
    ///
    /// `load` runs in a task of its own, with the caller's deadline and trace, and goes on when this caller gives up while others
    /// wait. Throws what it throws, or `CacheError`.
    ///
    /// - Parameter pastMemory: for whoever cannot wait until this process has heard of a change that has ended: Redis is asked, which knows.
    package func value(
        for key: CacheKey, pastMemory: Bool = false, load: @escaping @Sendable () async throws -> Value?
    ) async throws -> Value? {
        // Nor is anybody joined who asked before.
        if pastMemory { return try await fetch(key, load) }
        switch look(for: key) {
        case .fresh(let kept as KeptValue<Value>): return kept.value
        case .stale(let kept as KeptValue<Value>):
            flights.begin(key) { try await self.fetch(key, load, isRefresh: true) }
            return kept.value
        case .fresh, .stale, .nothing: break
        }
        for _ in 0..<2 {
            let (result, hasJoined) = await flights.value(for: key) { try await self.fetch(key, load) }
            if hasJoined { counts.contents.withLock { $0.joined += 1 } }
            // What ended the fetching may have been another caller's deadline, or that one who joined this caller had gone before it waited. It is
            // fetched once more then, and by this caller itself in the end.
            if case .failure(let error) = result, hasJoined || error is CancellationError, !Task.isCancelled { continue }
            return try result.get()
        }
        return try await fetch(key, load)
    }

    /// Changes what entries are made of. Before it begins they are taken away, and none is kept again until it has ended, so that
    /// a program that dies in the midst of it leaves nothing old behind. In a unit of work it has ended when the unit has.
    ///
    /// - Parameters:
    ///   - others: entries of other caches that are made of the same, of this program or of another.
    ///   - limit: how long the change may take at most, after which entries are kept again.
    package func changing<Result>(
        _ keys: [CacheKey], and others: [CacheEntry] = [], atMost limit: Duration = .seconds(60),
        _ change: () async throws -> Result
    ) async throws -> Result {
        let writer = Self.token()
        let entries = keys.map { CacheEntry(cache: name, key: $0) } + others
        await tell(of: entries) { await shared.beginChange(of: entries, writer: writer, life: limit, telling: hub.message) }
        if let unit = CurrentTask.unit {
            // Until it has ended others see what was there before.
            unit.atEnd { _ in await self.endChange(of: entries, writer) }
            return try await change()
        }
        do {
            let result = try await change()
            await endChange(of: entries, writer)
            return result
        } catch {
            // It may have been made all the same.
            await endChange(of: entries, writer)
            throw error
        }
    }

    private func endChange(of entries: [CacheEntry], _ writer: String) async {
        await tell(of: entries, ended: writer) { await shared.endChange(of: entries, writer: writer, telling: hub.message) }
    }

    /// Forgets each here and in Redis. What Redis cannot be told is not taken from it until it was.
    private func tell(of entries: [CacheEntry], ended writer: String? = nil, _ telling: () async -> Bool) async {
        forgetHere(entries)
        if !(await telling()) {
            let life = (configuration.life + configuration.staleLife) * (1 + configuration.jitter)
            for entry in entries { hub.doubt(entry, until: .now() + life, ended: writer) }
        }
        forgetHere(entries)
    }

    private func forgetHere(_ entries: [CacheEntry]) {
        for entry in entries { hub.forgetHere(entry) }
    }

    /// Forgets what this process keeps; Redis keeps it.
    func forgetLocally() { local.forgetAll() }

    func waiters(for key: CacheKey) -> Int { flights.waiters(for: key) }

    package var statistics: CacheStatistics { counts.statistics(local) }

    // MARK: Looking

    private func look(for key: CacheKey) -> LocalTier.Look {
        let began = counts.isNextTimed() ? ContinuousClock.now : nil
        let look = local.look(for: key, at: .now())
        if let began { counts.record(.local, since: began) }
        counts.contents.withLock { counts in
            switch look {
            case .fresh: counts.local.hits += 1
            case .stale:
                counts.local.hits += 1
                counts.servedStale += 1
            case .nothing: counts.local.misses += 1
            }
        }
        return look
    }

    // MARK: Fetching

    private func fetch(
        _ key: CacheKey, _ load: @Sendable () async throws -> Value?, isRefresh: Bool = false
    ) async throws -> Value? {
        let epoch = local.epoch(of: key)
        guard !hub.isDoubtful(CacheEntry(cache: name, key: key)) else { return try await loadUnshared(load) }
        let token = Self.token()
        let waitsUntil = ContinuousClock.now.advanced(by: configuration.leaseLife)
        var pause = Duration.milliseconds(2)
        var hasDiscarded = false
        var anew = isRefresh
        while true {
            switch await find(key, token, anew) {
            case .found(let bytes):
                if let found = decode(bytes) {
                    keepHere(found.value, freshUntil: found.freshUntil, for: key, since: epoch)
                    return found.value
                }
                guard !hasDiscarded else { return try await loadUnshared(load) }
                hasDiscarded = true
                await shared.discard(key)
            case .granted:
                return try await loadLeased(key, token, epoch, load)
            case .changing:
                // It may be of before the change: nobody joins who asks from now on, for that may be behind the change's end.
                flights.detach(key)
                return try await loadUnshared(load)
            case .taken where anew:
                // Somebody else fetches it; until then this process goes on with what there is.
                anew = false
            case .taken:
                guard ContinuousClock.now < waitsUntil else { return try await loadUnshared(load) }
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .milliseconds(50))
            case .failed:
                let value = try await loadUnshared(load)
                if configuration.localLifeUnheard > .zero, (value == nil) == (value.flatMap(kept) == nil) {
                    keepHere(value, freshUntil: .now() + configuration.localLifeUnheard, for: key, since: epoch, isUnheard: true)
                }
                return value
            }
        }
    }

    private func find(_ key: CacheKey, _ token: String, _ anew: Bool) async -> SharedTier.Finding {
        let began = ContinuousClock.now
        let finding = await shared.find(key, token: token, leaseLife: configuration.leaseLife, anew: anew)
        counts.record(.shared, since: began)
        counts.contents.withLock { counts in
            switch finding {
            case .found: counts.shared.hits += 1
            case .granted, .changing: counts.shared.misses += 1
            case .taken: break
            case .failed: counts.shared.failures += 1
            }
        }
        return finding
    }

    private func decode(_ bytes: [UInt8]) -> (value: Value?, freshUntil: Instant)? {
        // Whatever cannot be read is fetched anew.
        guard let envelope = try? CacheEnvelope(decoding: bytes, limit: configuration.maxValueBytes) else { return nil }
        guard let bytes = envelope.value else { return (nil, envelope.freshUntil) }
        return codec.decode(bytes).map { ($0, envelope.freshUntil) }
    }

    private func loadLeased(
        _ key: CacheKey, _ token: String, _ epoch: Int, _ load: @Sendable () async throws -> Value?
    ) async throws -> Value? {
        let value: Value?
        do { value = try await loaded(load) } catch {
            await shared.giveUp(key, token: token)
            throw error
        }
        let bytes = value.flatMap(kept)
        guard (value == nil) == (bytes == nil) else {
            await shared.giveUp(key, token: token)
            return value
        }
        let life = jittered(value == nil ? configuration.absentLife : configuration.life)
        let freshUntil = Instant.now() + life
        let written = CacheEnvelope(value: bytes, freshUntil: freshUntil).encoded(packingFrom: configuration.packingThreshold)
        let stale = value == nil ? .zero : configuration.staleLife
        let wasKept = await shared.keep(written, for: key, token: token, life: life + stale)
        counts.contents.withLock { counts in
            guard wasKept == true else { return }
            counts.bytesBefore += bytes?.count ?? 0
            counts.bytesAfter += written.count - CacheEnvelope.headerBytes
        }
        // Refused: somebody has changed what it is made of since the lease was granted.
        if wasKept != false { keepHere(value, freshUntil: freshUntil, for: key, since: epoch, isUnheard: wasKept == nil) }
        return value
    }

    /// A value as it is kept; `nil` for one that is for whoever asked, here and in Redis.
    private func kept(_ value: Value) -> [UInt8]? {
        guard codec.keeps(value), let bytes = codec.encode(value) else { return nil }
        guard bytes.count <= configuration.maxValueBytes else {
            counts.contents.withLock { $0.tooLarge += 1 }
            return nil
        }
        return bytes
    }

    /// Fetches what cannot be shared, so that as many callers as there are could do it at a time.
    private func loadUnshared(_ load: @Sendable () async throws -> Value?) async throws -> Value? {
        try await permits.withPermit { try await loaded(load) }
    }

    private func loaded(_ load: @Sendable () async throws -> Value?) async throws -> Value? {
        let began = ContinuousClock.now
        do {
            // What is kept for all must not be of changes that only this task sees.
            let value = try await CurrentTask.$unit.withValue(nil) { try await load() }
            counts.record(.loads, since: began)
            counts.contents.withLock { $0.loads += 1 }
            return value
        } catch {
            counts.contents.withLock { $0.failedLoads += 1 }
            throw error
        }
    }

    private func keepHere(
        _ value: Value?, freshUntil: Instant, for key: CacheKey, since epoch: Int, isUnheard: Bool = false
    ) {
        let life = isUnheard ? configuration.localLifeUnheard : hub.isHearing ? configuration.localLife : .zero
        guard life > .zero, value.map(codec.keeps) ?? true else { return }
        let keptUntil = min(.now() + jittered(life), freshUntil + configuration.staleLife)
        local.keep(.init(kept: KeptValue(value), freshUntil: freshUntil, keptUntil: keptUntil), for: key, since: epoch)
    }

    private func jittered(_ life: Duration) -> Duration {
        life * (1 + Double.random(in: -configuration.jitter...configuration.jitter))
    }

    private static func token() -> String { String(UInt64.random(in: .min ... .max), radix: 36) }
}
