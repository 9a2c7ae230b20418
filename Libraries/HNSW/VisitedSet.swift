/// Which nodes a search has met. Starting anew is one increment, because a node counts as met only if it carries the
/// stamp of the current search.
@safe
struct VisitedSet: ~Copyable {
    private var stamps = AlignedBuffer<UInt16>(count: 0, filledWith: 0)
    private var stamp: UInt16 = 0

    mutating func begin(capacity: Int) {
        // An index that has become much smaller is not to keep the memory of its past.
        if capacity > stamps.count || stamps.count > 4 * capacity + 4096 {
            stamps = AlignedBuffer(count: capacity, filledWith: 0)
            stamp = 0
        }
        if stamp == .max {
            unsafe stamps.base.update(repeating: 0, count: stamps.count)
            stamp = 0
        }
        stamp &+= 1
    }

    /// - Returns: whether the slot was new.
    @inline(__always)
    mutating func insert(_ slot: Int32) -> Bool {
        let place = unsafe stamps.base + Int(slot)
        if unsafe place.pointee == stamp { return false }
        unsafe place.pointee = stamp
        return true
    }

    @inline(__always)
    func contains(_ slot: Int32) -> Bool { unsafe stamps.base[Int(slot)] == stamp }
}
