/// The nearest nodes that a walk has met, sorted, and which of them it has still to go on from.
///
/// One array instead of the two heaps of Algorithm 2: it holds a few dozen to a few hundred entries, and moving half of
/// them up by a place takes less time than sinking through a heap, whose branches no processor predicts. Each entry is
/// one word that compares as a whole: the distance in an order-preserving form, the slot, and whether it was visited.
@safe
struct Beam: ~Copyable {
    private var storage = AlignedBuffer<UInt64>(count: 256, filledWith: 0)
    private var breadth = 0
    private(set) var count = 0
    /// The first entry that may not have been visited.
    private var cursor = 0
    /// What an entry has to be less than to get in.
    private var bound = UInt64.max

    mutating func begin(breadth: Int) {
        // One place more, for the entry that falls out.
        if breadth >= storage.count { storage = AlignedBuffer(count: breadth * 2, filledWith: 0) }
        self.breadth = breadth
        count = 0
        cursor = 0
        bound = .max
    }

    subscript(position: Int) -> Candidate {
        precondition(position < count)
        return unsafe Beam.candidate(storage.base[position])
    }

    /// The nearest node that has not been visited; from now on it is.
    @inline(__always)
    mutating func visitNearest() -> Int32? {
        while cursor < count {
            let entry = unsafe storage.base[cursor]
            if entry & 1 == 0 {
                unsafe storage.base[cursor] = entry | 1
                cursor &+= 1
                return Int32(truncatingIfNeeded: entry >> 1) & .max
            }
            cursor &+= 1
        }
        return nil
    }

    /// What `visitNearest` would give, if nothing nearer comes.
    @inline(__always)
    var next: Int32? {
        var position = cursor
        while position < count {
            let entry = unsafe storage.base[position]
            if entry & 1 == 0 { return Int32(truncatingIfNeeded: entry >> 1) & .max }
            position &+= 1
        }
        return nil
    }

    /// Takes a node in if it is one of the nearest.
    @inline(__always)
    mutating func insert(_ slot: Int32, _ compared: Float) {
        let entry = Beam.entry(slot, compared)
        if entry < bound { put(entry) }
    }

    @inline(__always)
    private mutating func put(_ entry: UInt64) {
        let base = unsafe storage.base
        var low = 0
        var length = count
        // The number of steps depends on the length alone, and each is a conditional move.
        while length > 0 {
            let half = length / 2
            let isBehind = unsafe base[low &+ half] < entry
            low = isBehind ? low &+ half &+ 1 : low
            length = isBehind ? length &- half &- 1 : half
        }
        unsafe (base + low + 1).update(from: base + low, count: count &- low)
        unsafe base[low] = entry
        cursor = min(cursor, low)
        if count < breadth { count &+= 1 }
        if count == breadth { unsafe bound = base[count &- 1] }
    }

    // Distances are compared as the bits of a float, which have the order of its absolute value: turned over for
    // negative numbers, and above all those for the others.

    @inline(__always)
    private static func entry(_ slot: Int32, _ compared: Float) -> UInt64 {
        let bits = compared.bitPattern
        let ordered = bits ^ (UInt32(bitPattern: Int32(bitPattern: bits) >> 31) | 0x8000_0000)
        return UInt64(ordered) << 32 | UInt64(UInt32(bitPattern: slot)) << 1
    }

    private static func candidate(_ entry: UInt64) -> Candidate {
        let ordered = UInt32(entry >> 32)
        let bits = ordered ^ (ordered >> 31 == 1 ? 0x8000_0000 : 0xffff_ffff)
        return Candidate(
            compared: Float(bitPattern: bits), slot: Int32(truncatingIfNeeded: entry >> 1) & .max)
    }
}
