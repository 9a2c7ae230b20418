/// The neighbours of one node on one layer, lent for as long as nobody changes them.
@safe
struct SlotList {
    private let first: UnsafePointer<Int32>
    let count: Int

    @unsafe
    @inline(__always)
    init(first: UnsafePointer<Int32>, count: Int) {
        unsafe self.first = first
        self.count = count
    }

    /// `position` must be in `0..<count`; it is not checked, because this is the innermost loop of a search.
    @inline(__always)
    subscript(position: Int) -> Int32 {
        assert(position >= 0 && position < count)
        return unsafe first[position]
    }

    @inline(__always)
    func contains(_ slot: Int32) -> Bool {
        var position = 0
        while position < count {
            if self[position] == slot { return true }
            position &+= 1
        }
        return false
    }
}
