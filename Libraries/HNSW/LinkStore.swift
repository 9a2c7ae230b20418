internal import CDistance

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
    private(set) var capacity = 0
    /// Blocks that there is room for above layer 0.
    private(set) var blockCapacity = 0

    private var bottom = Region<Int32>()
    private var upper = Region<Int32>()
    /// The first block of a slot's upper layers.
    private var firstBlocks = Region<Int32>()
    /// One more than the highest layer of a slot; 0 where the slot is free.
    private var heights = Region<UInt8>()

    /// With m = 2 one node in 10^9 would get this far; it bounds what a search has to climb down.
    static let highestLevel = 30

    init(configuration: HNSWConfiguration) {
        bottomLimit = configuration.degreeLimit(onLayer: 0)
        upperLimit = configuration.degreeLimit(onLayer: 1)
    }

    /// May move all lists: nobody reads meanwhile.
    mutating func grow(to newCapacity: Int, blockCapacity newBlockCapacity: Int) {
        bottom.grow(to: newCapacity * (bottomLimit + 1))
        firstBlocks.grow(to: newCapacity)
        heights.grow(to: newCapacity)
        capacity = max(capacity, newCapacity)
        upper.grow(to: newBlockCapacity * (upperLimit + 1))
        blockCapacity = max(blockCapacity, newBlockCapacity)
    }

    /// Gives back what is behind the first `newCapacity` slots, which are free; blocks stay.
    mutating func shrink(to newCapacity: Int) {
        bottom.shrink(to: newCapacity * (bottomLimit + 1))
        firstBlocks.shrink(to: newCapacity)
        heights.shrink(to: newCapacity)
        capacity = min(capacity, newCapacity)
    }

    /// The highest layer of the slot, or -1 where no vector is.
    @inline(__always)
    func level(of slot: Int32) -> Int {
        assert(slot >= 0 && Int(slot) < capacity)
        return unsafe Int(heights.base[Int(slot)]) &- 1
    }

    func firstBlock(of slot: Int32) -> Int32 { unsafe firstBlocks.base[Int(slot)] }

    @inline(__always)
    func limit(onLayer layer: Int) -> Int { layer == 0 ? bottomLimit : upperLimit }

    @inline(__always)
    func neighbours(of slot: Int32, onLayer layer: Int) -> SlotList {
        let list = unsafe list(of: slot, onLayer: layer)
        return unsafe SlotList(first: list + 1, count: Int(list[0]))
    }

    @inline(__always)
    func prefetch(_ slot: Int32) {
        unsafe memory_prefetch(bottom.base + Int(slot) &* (bottomLimit &+ 1), (bottomLimit &+ 1) &* 4)
    }

    // MARK: - Keeping

    var bytesPerSlot: Int { (bottomLimit + 1) * 4 + 5 }
    var bytesPerBlock: Int { (upperLimit + 1) * 4 }

    /// How long the parts of so many slots and blocks are.
    func partBytes(_ slots: Int, blocks: Int) -> [(part: IndexPart, count: Int)] {
        [
            (part: .links, count: slots * (bottomLimit + 1) * 4), (part: .upperLinks, count: blocks * bytesPerBlock),
            (part: .firstBlocks, count: slots * 4), (part: .heights, count: slots),
        ]
    }

    func forEachPart<Failure: Error>(
        _ slots: Int, blocks: Int, _ body: (IndexPart, RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        try bottom.withBytes(slots * (bottomLimit + 1)) { bytes throws(Failure) in try body(.links, bytes) }
        try upper.withBytes(blocks * (upperLimit + 1)) { bytes throws(Failure) in try body(.upperLinks, bytes) }
        try firstBlocks.withBytes(slots) { bytes throws(Failure) in try body(.firstBlocks, bytes) }
        try heights.withBytes(slots) { bytes throws(Failure) in try body(.heights, bytes) }
    }

    func fillParts<Failure: Error>(
        _ slots: Int, blocks: Int, _ fill: (IndexPart, inout MutableRawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        try bottom.withMutableBytes(slots * (bottomLimit + 1)) { bytes throws(Failure) in try fill(.links, &bytes) }
        try upper.withMutableBytes(blocks * (upperLimit + 1)) { bytes throws(Failure) in try fill(.upperLinks, &bytes) }
        try firstBlocks.withMutableBytes(slots) { bytes throws(Failure) in try fill(.firstBlocks, &bytes) }
        try heights.withMutableBytes(slots) { bytes throws(Failure) in try fill(.heights, &bytes) }
    }

    /// Whether no list of these slots leads out of what is there, so that a search over them reads nothing else.
    func staysWithin(slots: Int, blocks: Int) -> Bool {
        for slot in 0..<Int32(slots) {
            let level = level(of: slot)
            guard level >= 0 else { continue }
            guard level <= LinkStore.highestLevel else { return false }
            if level > 0 {
                let first = Int(firstBlock(of: slot))
                guard first >= 0, first + level <= blocks else { return false }
            }
            for layer in 0...level {
                let neighbours = neighbours(of: slot, onLayer: layer)
                guard (0...limit(onLayer: layer)).contains(neighbours.count) else { return false }
                for position in 0..<neighbours.count {
                    let neighbour = neighbours[position]
                    guard neighbour >= 0, neighbour < slots, self.level(of: neighbour) >= layer else { return false }
                }
            }
        }
        return true
    }

    /// Whether each link between these slots, which stay within them, is there both ways and once, and between two nodes: who changes the graph counts
    /// on it.
    ///
    /// A pair is looked at from its lower slot alone. If there are as many links downwards as upwards, those are the same pairs.
    func areMutual(slots: Int) -> Bool {
        var met = VisitedSet()
        var moreUpwards = 0
        for slot in 0..<Int32(slots) {
            var layer = level(of: slot)
            while layer >= 0 {
                let neighbours = neighbours(of: slot, onLayer: layer)
                met.begin(capacity: slots)
                for position in 0..<neighbours.count {
                    let neighbour = neighbours[position]
                    guard neighbour != slot, met.insert(neighbour) else { return false }
                    if neighbour > slot {
                        guard self.neighbours(of: neighbour, onLayer: layer).contains(slot) else { return false }
                    }
                    moreUpwards += neighbour > slot ? 1 : -1
                }
                layer -= 1
            }
        }
        return moreUpwards == 0
    }

    /// Whether `entry` is on the highest layer, and all nodes of each layer can be reached from it: a search that enters there counts on it, and so does
    /// whoever looks for another entry.
    func areConnected(slots: Int, from entry: Int32) -> Bool {
        let highest = level(of: entry)
        var unreached = [Int](repeating: 0, count: highest + 1)
        for slot in 0..<Int32(slots) {
            let level = level(of: slot)
            guard level <= highest else { return false }
            var layer = 0
            while layer <= level {
                unreached[layer] += 1
                layer += 1
            }
        }
        var met = VisitedSet()
        var queue: [Int32] = []
        for layer in 0...highest {
            met.begin(capacity: slots)
            _ = met.insert(entry)
            queue.append(entry)
            while let slot = queue.popLast() {
                unreached[layer] -= 1
                let neighbours = neighbours(of: slot, onLayer: layer)
                for position in 0..<neighbours.count where met.insert(neighbours[position]) { queue.append(neighbours[position]) }
            }
        }
        return unreached.allSatisfy { $0 == 0 }
    }

    // MARK: - Writing, under the write lock

    /// Gives a free slot a level and empty lists, or frees it with -1.
    func setLevel(_ level: Int, firstBlock: Int32, of slot: Int32) {
        precondition(slot >= 0 && Int(slot) < capacity && level < Int(UInt8.max))
        unsafe heights.base[Int(slot)] = UInt8(level + 1)
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

    /// Gives the node of `source` the free slot `target`, for itself and for its neighbours.
    func move(_ source: Int32, to target: Int32) {
        precondition(level(of: source) >= 0 && level(of: target) < 0)
        for layer in 0...level(of: source) {
            let neighbours = neighbours(of: source, onLayer: layer)
            for position in 0..<neighbours.count { replace(source, by: target, of: neighbours[position], onLayer: layer) }
        }
        // The blocks of upper layers belong to the node and not to the slot.
        let length = bottomLimit + 1
        unsafe (bottom.base + Int(target) * length).update(from: bottom.base + Int(source) * length, count: length)
        unsafe firstBlocks.base[Int(target)] = firstBlocks.base[Int(source)]
        unsafe heights.base[Int(target)] = heights.base[Int(source)]
        unsafe heights.base[Int(source)] = 0
    }

    private func replace(_ old: Int32, by new: Int32, of slot: Int32, onLayer layer: Int) {
        let list = unsafe list(of: slot, onLayer: layer)
        for position in 1...max(1, unsafe Int(list[0])) {
            if unsafe list[position] == old { unsafe list[position] = new }
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
