internal import Synchronization

/// Keys that searches are to be limited to: looked up once for as long as an index does not change, and anew after that.
///
/// Worth keeping when more than one search is limited to the same keys, since finding a key in the index takes longer than
/// comparing its vector.
package final class KeySelection<Key: Hashable & Sendable>: Sendable {
    package let keys: [Key]
    private let lookup = Mutex<Lookup?>(nil)

    private struct Lookup {
        let index: IndexIdentity
        let revision: UInt64
        let slots: SlotSet
    }

    package init(_ keys: [Key]) { self.keys = keys }

    /// Where the keys are in an index that has changed `revision` times.
    func slots(
        in index: IndexIdentity, revision: UInt64, capacity: Int, _ slot: (Key) -> Int32?
    ) -> SlotSet {
        if let known = lookup.withLock({ $0 }), known.index === index, known.revision == revision {
            return known.slots
        }
        let slots = SlotSet(keys.compactMap(slot), capacity: capacity)
        lookup.withLock { $0 = Lookup(index: index, revision: revision, slots: slots) }
        return slots
    }
}

/// Which index one is. Who keeps it keeps nothing of the index, and no other can come to have it, as one could an address.
final class IndexIdentity: Sendable {}

/// Slots, as a list and as a bit for each.
@safe
final class SlotSet: SlotFilter, @unchecked Sendable {
    // Sendable, because nothing changes after it was made.

    /// Ascending, each once.
    let slots: [Int32]
    private let words: AlignedBuffer<UInt64>

    init(_ slots: [Int32], capacity: Int) {
        words = AlignedBuffer(count: capacity / 64 + 1, filledWith: 0)
        var distinct: [Int32] = []
        distinct.reserveCapacity(slots.count)
        for slot in slots {
            precondition(slot >= 0 && Int(slot) < capacity)
            let word = unsafe words.base + Int(slot) / 64
            let bit = UInt64(1) << UInt64(slot & 63)
            if unsafe word.pointee & bit == 0 { distinct.append(slot) }
            unsafe word.pointee |= bit
        }
        self.slots = distinct.sorted()
    }

    @inline(__always)
    func admits(_ slot: Int32) -> Bool {
        unsafe words.base[Int(slot) / 64] >> UInt64(slot & 63) & 1 != 0
    }
}
