internal import Glibc

/// Hands out slots and the blocks of upper layers, takes them back, and draws the level of a new node.
struct SlotAllocator {
    struct Place {
        let slot: Int32
        let level: Int
        /// Where the links of its upper layers go; -1 for a node that lives on layer 0 alone.
        let firstBlock: Int32
    }

    private let levelScale: Double
    private var random: SplitMix64
    private var freeSlots: [Int32] = []
    /// Runs of blocks that removed nodes left, by their length.
    private var freeBlocks: [[Int32]] = Array(repeating: [], count: LinkStore.highestLevel + 1)
    private(set) var slotCount = 0
    private(set) var blockCount = 0

    init(configuration: HNSWConfiguration) {
        levelScale = 1 / log(Double(configuration.m))
        random = SplitMix64(state: configuration.seed)
    }

    mutating func take() throws(HNSWError) -> Place {
        let free = takeFree()
        guard free != nil || slotCount < Int(Int32.max) - 1 else { throw .full }
        let level = drawLevel()
        let slot = free ?? Int32(slotCount)
        slotCount = max(slotCount, Int(slot) + 1)
        return Place(slot: slot, level: level, firstBlock: takeBlocks(level))
    }

    mutating func giveBack(_ place: Place) {
        freeSlots.append(place.slot)
        if place.level > 0 { freeBlocks[place.level].append(place.firstBlock) }
    }

    /// A slot that was given back. One that was cut off since counts no more; before slots are added again, all are gone
    /// from the list.
    mutating func takeFree() -> Int32? {
        while let slot = freeSlots.popLast() {
            if slot < slotCount { return slot }
        }
        return nil
    }

    private mutating func takeBlocks(_ level: Int) -> Int32 {
        guard level > 0 else { return -1 }
        if let reused = freeBlocks[level].popLast() { return reused }
        defer { blockCount += level }
        return Int32(blockCount)
    }

    // MARK: - Compaction

    /// Makes the lowest free slots the next to be taken.
    mutating func sortFree() { freeSlots.sort(by: >) }

    /// Cuts off free slots at the end.
    mutating func cut(to count: Int) { slotCount = count }

    // MARK: - Keeping

    /// All that decides what is handed out next, as numbers.
    var state: [Int64] {
        var numbers = [Int64(bitPattern: random.state), Int64(slotCount), Int64(blockCount)]
        for list in [freeSlots] + freeBlocks {
            numbers.append(Int64(list.count))
            numbers.append(contentsOf: list.map(Int64.init))
        }
        return numbers
    }

    /// - Returns: whether these are numbers that `state` gave.
    mutating func restore(_ numbers: ArraySlice<Int64>) -> Bool {
        var rest = numbers
        guard let seed = rest.popFirst(), let slots = rest.popFirst(), let blocks = rest.popFirst(),
            (0...Int64(Int32.max)).contains(slots), (0...Int64(Int32.max)).contains(blocks)
        else { return false }
        var lists: [[Int32]] = []
        for _ in 0...freeBlocks.count {
            guard let count = rest.popFirst(), (0...Int64(rest.count)).contains(count) else { return false }
            let list = rest.prefix(Int(count)).compactMap { Int32(exactly: $0) }
            guard list.count == Int(count) else { return false }
            lists.append(list)
            rest = rest.dropFirst(Int(count))
        }
        guard rest.isEmpty else { return false }
        random = SplitMix64(state: UInt64(bitPattern: seed))
        (slotCount, blockCount) = (Int(slots), Int(blocks))
        freeSlots = lists.removeFirst()
        freeBlocks = lists
        return true
    }

    /// Whether nothing that can be handed out is a node's, twice in the lists, or not there. The nodes' blocks are.
    func handsOutWhatIsFree(in links: borrowing LinkStore, slots: Int) -> Bool {
        var isTaken = [Bool](repeating: false, count: slots)
        var isOwned = [Bool](repeating: false, count: blockCount)
        func take(_ first: Int, _ length: Int) -> Bool {
            guard first >= 0, first + length <= isOwned.count else { return false }
            for block in first..<first + length {
                if isOwned[block] { return false }
                isOwned[block] = true
            }
            return true
        }
        for slot in 0..<slots {
            let level = links.level(of: Int32(slot))
            guard level >= 0 else { continue }
            let firstBlock = Int(links.firstBlock(of: Int32(slot)))
            guard slot < slotCount, level == 0 || take(firstBlock, level) else { return false }
            isTaken[slot] = true
        }
        for slot in freeSlots {
            guard slot >= 0, slot < slots, !isTaken[Int(slot)] else { return false }
            isTaken[Int(slot)] = true
        }
        for (length, runs) in freeBlocks.enumerated() {
            guard length > 0 || runs.isEmpty, runs.allSatisfy({ take(Int($0), length) }) else { return false }
        }
        return true
    }

    /// Section 4 of the paper: floor(-ln(unif(0..1)) * mL), with mL = 1 / ln(m).
    private mutating func drawLevel() -> Int {
        let uniform = (Double(random.next() >> 11) + 1) * 0x1p-53
        return min(LinkStore.highestLevel, Int(-log(uniform) * levelScale))
    }
}

/// Steele, Lea and Flood's generator: one word of state, so that a graph can be built again from its seed.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
