/// Who is whose neighbour, on every layer, in flat arrays of slot numbers.
///
/// Every node has a list on layer 0: its length, then room for `2m` slots. The few that reach higher have one block
/// of length and `m` slots for each layer above, one behind the other in a second array. Links are mutual: a slot is
/// in the list of each of its neighbours.
@safe
struct LinkStore: ~Copyable, @unchecked Sendable {
    let bottomLimit: Int
    let upperLimit: Int
    /// Slots that there is room for.
    let capacity: Int
    /// Blocks that there is room for above layer 0.
    let blockCapacity: Int

    private let bottom: AlignedBuffer<Int32>
    private let upper: AlignedBuffer<Int32>
    /// The first block of a slot's upper layers.
    private let firstBlocks: AlignedBuffer<Int32>
    /// The highest layer of a slot; -1 where the slot is free.
    private let levels: AlignedBuffer<Int8>

    init(configuration: HNSWConfiguration, capacity: Int, blockCapacity: Int) {
        let bottomLimit = configuration.degreeLimit(onLayer: 0)
        let upperLimit = configuration.degreeLimit(onLayer: 1)
        self.bottomLimit = bottomLimit
        self.upperLimit = upperLimit
        self.capacity = capacity
        self.blockCapacity = blockCapacity
        bottom = AlignedBuffer(count: capacity * (bottomLimit + 1), filledWith: 0)
        upper = AlignedBuffer(count: blockCapacity * (upperLimit + 1), filledWith: 0)
        firstBlocks = AlignedBuffer(count: capacity, filledWith: -1)
        levels = AlignedBuffer(count: capacity, filledWith: -1)
    }

    private init(enlarging old: borrowing LinkStore, capacity: Int, blockCapacity: Int) {
        bottomLimit = old.bottomLimit
        upperLimit = old.upperLimit
        self.capacity = capacity
        self.blockCapacity = blockCapacity
        bottom = old.bottom.enlarged(to: capacity * (old.bottomLimit + 1), filledWith: 0)
        upper = old.upper.enlarged(to: blockCapacity * (old.upperLimit + 1), filledWith: 0)
        firstBlocks = old.firstBlocks.enlarged(to: capacity, filledWith: -1)
        levels = old.levels.enlarged(to: capacity, filledWith: -1)
    }

    func enlarged(capacity: Int, blockCapacity: Int) -> LinkStore {
        LinkStore(enlarging: self, capacity: capacity, blockCapacity: blockCapacity)
    }

    /// The highest layer of the slot, or -1 where no vector is.
    @inline(__always)
    func level(of slot: Int32) -> Int {
        assert(slot >= 0 && Int(slot) < capacity)
        return unsafe Int(levels.base[Int(slot)])
    }

    func firstBlock(of slot: Int32) -> Int32 { unsafe firstBlocks.base[Int(slot)] }

    @inline(__always)
    func limit(onLayer layer: Int) -> Int { layer == 0 ? bottomLimit : upperLimit }

    @inline(__always)
    func neighbours(of slot: Int32, onLayer layer: Int) -> SlotList {
        let list = unsafe list(of: slot, onLayer: layer)
        return unsafe SlotList(first: list + 1, count: Int(list[0]))
    }

    // MARK: - Writing, under the write lock

    /// Gives a free slot a level and empty lists, or frees it with -1.
    func setLevel(_ level: Int, firstBlock: Int32, of slot: Int32) {
        precondition(slot >= 0 && Int(slot) < capacity && level < Int(Int8.max))
        unsafe levels.base[Int(slot)] = Int8(level)
        unsafe firstBlocks.base[Int(slot)] = firstBlock
        var layer = 0
        while layer <= level {
            unsafe list(of: slot, onLayer: layer)[0] = 0
            layer += 1
        }
    }

    func setNeighbours(of slot: Int32, onLayer layer: Int, to neighbours: SlotList) {
        precondition(neighbours.count <= limit(onLayer: layer) && level(of: slot) >= layer)
        let list = unsafe list(of: slot, onLayer: layer)
        unsafe list[0] = Int32(neighbours.count)
        var position = 0
        while position < neighbours.count {
            unsafe list[position + 1] = neighbours[position]
            position += 1
        }
    }

    @inline(__always)
    @unsafe
    private func list(of slot: Int32, onLayer layer: Int) -> UnsafeMutablePointer<Int32> {
        assert(layer >= 0 && layer <= level(of: slot))
        if layer == 0 { return unsafe bottom.base + Int(slot) &* (bottomLimit &+ 1) }
        let block = unsafe Int(firstBlocks.base[Int(slot)]) &+ layer &- 1
        return unsafe upper.base + block &* (upperLimit &+ 1)
    }
}
