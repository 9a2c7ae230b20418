internal import Synchronization
internal import Time

/// What this process keeps of one cache. A look costs a lock that is nearly always free, and one hash.
///
/// It knows nothing of the values' type, so that looking is compiled once, for the keys that there are, and not worked out at run time
/// for each type: that made a hit three times as long.
final class LocalTier: Sendable {
    struct Entry: Sendable {
        /// A `KeptValue` of the cache's type.
        let kept: any AnyObject & Sendable
        let freshUntil: Instant
        /// From then on Redis is asked again.
        let keptUntil: Instant
    }

    enum Look {
        case fresh(any AnyObject & Sendable)
        /// May be served while it is fetched anew.
        case stale(any AnyObject & Sendable)
        case nothing
    }

    private struct State {
        var table: SieveTable<CacheKey, Entry>
        /// Counts what was forgotten, so that what was being fetched meanwhile is not kept.
        var epoch = 0
    }

    private final class Shard: Sendable {
        let state: Mutex<State>

        init(capacity: Int) {
            state = Mutex(State(table: SieveTable(capacity: capacity)))
        }
    }

    private let shards: [Shard]

    init(capacity: Int) {
        let count = capacity >= 1_024 ? 16 : 1
        shards = (0..<count).map { _ in Shard(capacity: max(1, capacity / count)) }
    }

    private func shard(of key: CacheKey) -> Shard {
        shards.count == 1 ? shards[0] : shards[Int(UInt(bitPattern: key.hashValue) % UInt(shards.count))]
    }

    func look(for key: CacheKey, at now: Instant) -> Look {
        let entry = shard(of: key).state.withLock { $0.table.value(for: key) }
        guard let entry, now < entry.keptUntil else { return .nothing }
        return now < entry.freshUntil ? .fresh(entry.kept) : .stale(entry.kept)
    }

    /// To be read before a value is fetched that is to be kept.
    func epoch(of key: CacheKey) -> Int { shard(of: key).state.withLock { $0.epoch } }

    /// Keeps an entry, unless something was forgotten since the epoch was read.
    func keep(_ entry: Entry, for key: CacheKey, since epoch: Int) {
        shard(of: key).state.withLock { state in
            if state.epoch == epoch { state.table.set(entry, for: key) }
        }
    }

    func forget(_ key: CacheKey) {
        shard(of: key).state.withLock { state in
            state.epoch += 1
            state.table.remove(key)
        }
    }

    func forgetAll() {
        for shard in shards {
            shard.state.withLock { state in
                state.epoch += 1
                state.table.removeAll()
            }
        }
    }

    var count: Int { shards.reduce(0) { $0 + $1.state.withLock { $0.table.count } } }
    var evictions: Int { shards.reduce(0) { $0 + $1.state.withLock { $0.table.evictions } } }
}

/// `value` is `nil` for what is known not to exist.
final class KeptValue<Value: Sendable>: Sendable {
    let value: Value?

    init(_ value: Value?) { self.value = value }
}
