/// What one replica has let through, and what it has seen, of each key of one limiter. A value that knows no clock: moments
/// are microseconds on a clock of the process that only moves forward.
///
/// On its own a replica counts by the same algorithm as `GCRALimiter`, with its part of the limit. How much was used when
/// Redis was lost it cannot know, so it assumes all of its part but the lease; only one that has the limit to itself has seen
/// all that was used of a key.
///
/// The table is bounded: keys stand in two halves, and when the newer half is full it becomes the older one, and the older one
/// is forgotten. Whoever is forgotten has the lease again.
struct ShareLedger: Sendable {
    /// This replica's part of a limit.
    struct Share: Sendable, Hashable {
        /// Microseconds in which one unit becomes free to this replica.
        let interval: Int64
        /// Units at once; one at least.
        let units: Int
        /// Units beyond what all replicas together know to be free.
        let lease: Int
        let isWhole: Bool

        /// - Parameter leased: how much of the limit all leases together are.
        init(of limit: RateLimit, replicas: Int, leased: Double) {
            let replicas = min(max(1, replicas), 10_000)
            isWhole = replicas == 1
            interval = limit.interval * Int64(replicas)
            units = max(1, limit.units / replicas)
            lease = min(units, Int(Double(limit.units) * leased) / replicas)
        }

        var capacity: Int64 { interval * Int64(units) }
    }

    private struct Entry {
        /// When the last unit that was let through here becomes free here.
        var free = Int64.min
        /// Let through here, and not counted in Redis yet.
        var owed = 0
        /// Units in use when Redis last said so, and when that was.
        var used = 0
        var usedAt: Int64 = 0
        /// The store's generation when it last answered.
        var generation = 0
    }

    private let limit: RateLimit
    private let half: Int
    private var newer: [String: Entry] = [:]
    private var older: [String: Entry] = [:]

    init(_ limit: RateLimit, maxKeys: Int) {
        self.limit = limit
        half = max(1, maxKeys / 2)
    }

    var count: Int { newer.count + older.count }

    /// What of its knowledge a replica tells Redis.
    enum Part: Sendable, CaseIterable {
        /// What was in use when Redis was last heard, if it may have come back empty: of all that replicas know the most is right.
        case used
        /// What was let through here: all that replicas know adds up.
        case owed
        case both
    }

    /// Keys of which Redis has to be told this.
    func owing(_ part: Part, generation: Int, at now: Int64) -> [String] {
        [newer, older].flatMap { half in
            half.filter { _, entry in
                (part != .used && entry.owed > 0)
                    || (part != .owed && entry.generation != generation && stillUsed(entry, at: now) > 0)
            }.keys
        }
    }

    /// What Redis has to be told with the next question about the key. Whoever takes it either says that Redis was `told` or
    /// gives it back.
    ///
    /// - Parameter generation: another one than when Redis last answered says that it may have come back empty.
    mutating func carry(_ key: String, _ part: Part = .both, generation: Int, at now: Int64) -> CarriedUnits {
        guard var entry = newer[key] ?? older[key] else { return .none }
        var carried = CarriedUnits.none
        if part != .used, entry.owed > 0 {
            carried.owed = entry.owed
            entry = take(key)
            entry.owed = 0
            newer[key] = entry
        }
        if part != .owed, entry.generation != generation { carried.used = stillUsed(entry, at: now) }
        return carried
    }

    /// Redis may not know what was carried. If it does, the units count twice for as long as they would have counted once.
    mutating func giveBack(_ key: String, _ carried: CarriedUnits) {
        guard carried.owed > 0 else { return }
        var entry = take(key)
        entry.owed += carried.owed
        newer[key] = entry
    }

    /// Redis has answered, and knows what was carried.
    mutating func told(_ key: String, _ admission: Admission, cost: Int, generation: Int, at now: Int64) {
        var entry = take(key)
        let used =
            switch admission {
            case .admitted(let remaining, _): limit.units - remaining
            // Fewer than the cost are free.
            case .refused: limit.units - max(1, min(cost, limit.units)) + 1
            }
        // Answers are not told in the order in which they were given.
        entry.used = max(used, stillUsed(entry, at: now))
        entry.usedAt = now
        entry.generation = generation
        newer[key] = entry
    }

    /// Admits within the replica's share, without Redis.
    ///
    /// - Parameter lost: when Redis was lost.
    mutating func admit(_ key: String, cost: Int, _ share: Share, lost: Int64, at now: Int64) -> Admission {
        var entry = take(key)
        defer { newer[key] = entry }
        let latest = now + share.capacity
        let assumed =
            share.isWhole && entry.used > 0
            ? entry.usedAt + share.interval * Int64(entry.used)
            : lost + share.capacity - share.interval * Int64(share.lease)
        let free = min(max(entry.free, assumed, now), latest)
        let taken = min(cost, share.units)
        let after = free + share.interval * Int64(taken)
        if after > latest { return .refused(retryAfter: .microseconds(after - latest)) }
        entry.free = after
        entry.owed += cost
        let rest = (after - now) % share.interval
        return .admitted(
            remaining: Int((latest - after) / share.interval), resetAfter: .microseconds(rest > 0 ? rest : share.interval))
    }

    private func stillUsed(_ entry: Entry, at now: Int64) -> Int {
        entry.used == 0 ? 0 : max(0, entry.used - Int((now - entry.usedAt) / limit.interval))
    }

    private mutating func take(_ key: String) -> Entry {
        if let entry = newer[key] { return entry }
        let entry = older.removeValue(forKey: key) ?? Entry()
        if newer.count >= half {
            older = newer
            newer = [:]
        }
        return entry
    }
}
