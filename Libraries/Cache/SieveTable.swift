/// A bounded table that lets go of what is not asked for again.
///
/// It chooses by SIEVE (Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024): entries stand in the order in which they came;
/// a hit only marks one; a hand goes from old to new, unmarks what is marked and takes out the first that is not. It keeps more
/// of what is wanted than LRU does, and a hit moves nothing.
///
/// It is public because only what is public is compiled for its values in other modules (Swift 6.3); a look through witness tables takes several times
/// as long.
public struct SieveTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    @usableFromInline struct Entry: Sendable {
        @usableFromInline var key: Key?
        @usableFromInline var value: Value?
        @usableFromInline var isVisited = false
        var weight = 1
        /// Towards the older ones.
        var next = SieveTable.none
        /// Towards the newer ones.
        var previous = SieveTable.none
    }

    private static var none: Int { -1 }

    /// What all entries together may weigh.
    package let capacity: Int
    @usableFromInline var slots: [Key: Int] = [:]
    @usableFromInline var entries: [Entry] = []
    private var free: [Int] = []
    private var newest = SieveTable.none
    private var oldest = SieveTable.none
    private var hand = SieveTable.none
    /// What all entries weigh.
    package private(set) var weight = 0
    /// How many entries had to go for others.
    package private(set) var evictions = 0

    package init(capacity: Int) {
        precondition(capacity > 0, "a table holds at least one entry")
        self.capacity = capacity
    }

    package var count: Int { slots.count }

    /// The value of a key, which is kept the longer for it.
    @inlinable public mutating func value(for key: Key) -> Value? {
        guard let slot = slots[key] else { return nil }
        entries[slot].isVisited = true
        return entries[slot].value
    }

    /// Keeps a value, for which others go until all weigh no more than they may. What is too heavy by itself is not kept.
    package mutating func set(_ value: Value, for key: Key, weight: Int = 1) {
        if let slot = slots[key] {
            guard weight != entries[slot].weight else {
                entries[slot].value = value
                return
            }
            remove(slot)
        }
        guard weight <= capacity else { return }
        while self.weight > capacity - weight { evict() }
        self.weight += weight
        let slot = free.popLast() ?? entries.count
        let entry = Entry(key: key, value: value, weight: weight, next: newest)
        if slot == entries.count { entries.append(entry) } else { entries[slot] = entry }
        if newest != SieveTable.none { entries[newest].previous = slot }
        newest = slot
        if oldest == SieveTable.none { oldest = slot }
        slots[key] = slot
    }

    @discardableResult
    package mutating func remove(_ key: Key) -> Bool {
        guard let slot = slots[key] else { return false }
        remove(slot)
        return true
    }

    package mutating func removeAll() {
        let evictions = evictions
        self = SieveTable(capacity: capacity)
        self.evictions = evictions
    }

    private mutating func evict() {
        var slot = hand == SieveTable.none ? oldest : hand
        while entries[slot].isVisited {
            entries[slot].isVisited = false
            let newer = entries[slot].previous
            slot = newer == SieveTable.none ? oldest : newer
        }
        hand = entries[slot].previous
        evictions += 1
        remove(slot)
    }

    private mutating func remove(_ slot: Int) {
        let entry = entries[slot]
        weight -= entry.weight
        if hand == slot { hand = entry.previous }
        if entry.previous == SieveTable.none { newest = entry.next } else { entries[entry.previous].next = entry.next }
        if entry.next == SieveTable.none { oldest = entry.previous } else { entries[entry.next].previous = entry.previous }
        entries[slot] = Entry()
        free.append(slot)
        if let key = entry.key { slots[key] = nil }
    }
}
