/// The graph itself: vectors, links and where a search enters. It knows slots and no keys.
///
/// What borrows it may run on many threads; what changes it belongs to one writer, who holds the index's write lock.
/// On every layer the links are mutual and connect all the layer's nodes; each change keeps it so (`Connectivity.swift`).
struct HNSWGraph: ~Copyable {
    let configuration: HNSWConfiguration
    var vectors: VectorStore
    var links: LinkStore

    /// A node of the highest layer, or -1 when there is none.
    private(set) var entry: Int32 = -1

    /// One more than the highest slot ever used.
    private(set) var slotCount = 0

    /// A node that an update has replaced and is about to remove: searches pass through it and do not report it.
    private(set) var hidden: Int32 = -1

    private var nodeCount = 0

    /// Vectors that a search can find.
    var count: Int { hidden < 0 ? nodeCount : nodeCount - 1 }

    var topLayer: Int { entry < 0 ? -1 : links.level(of: entry) }

    init(configuration: HNSWConfiguration, vectorFile: MappedFile? = nil) {
        self.configuration = configuration
        vectors = VectorStore(
            dimension: configuration.dimension, metric: configuration.metric,
            representation: configuration.representation, file: vectorFile)
        links = LinkStore(configuration: configuration)
    }

    /// Nobody reads meanwhile.
    mutating func grow(to capacity: Int, blockCapacity: Int) {
        vectors.grow(to: capacity)
        links.grow(to: capacity, blockCapacity: blockCapacity)
    }

    mutating func commitInsertion(
        _ places: some Sequence<SlotAllocator.Place>, draft: borrowing LinkDraft, replacing old: Int32?
    ) {
        for place in places {
            links.setLevel(place.level, firstBlock: place.firstBlock, of: place.slot)
            if place.level > topLayer { entry = place.slot }
            slotCount = max(slotCount, Int(place.slot) + 1)
            nodeCount += 1
        }
        apply(draft)
        hidden = old ?? -1
    }

    mutating func commitRemoval(of slot: Int32, draft: borrowing LinkDraft, newEntry: Int32) {
        apply(draft)
        entry = newEntry
        links.setLevel(-1, firstBlock: -1, of: slot)
        nodeCount -= 1
        hidden = -1
    }

    /// Gives the node of the last slot another, which holds its vector already.
    mutating func commitMove(of source: Int32, to target: Int32) {
        links.move(source, to: target)
        if entry == source { entry = target }
    }

    /// Forgets free slots at the end.
    mutating func cut(to count: Int) { slotCount = count }

    /// Nobody reads meanwhile.
    mutating func shrink(to capacity: Int) {
        vectors.shrink(to: capacity)
        links.shrink(to: capacity)
    }

    /// Takes over what the parts do not hold.
    ///
    /// - Returns: whether it goes with them, and they keep every promise that a search or a change counts on.
    mutating func restore(entry: Int32, slotCount: Int, nodeCount: Int, blockCount: Int) -> Bool {
        guard slotCount <= links.capacity, blockCount <= links.blockCapacity, nodeCount <= slotCount,
            links.staysWithin(slots: slotCount, blocks: blockCount), links.areMutual(slots: slotCount),
            entry >= -1, entry < slotCount, (entry >= 0) == (nodeCount > 0),
            entry < 0 || links.level(of: entry) >= 0 && links.areConnected(slots: slotCount, from: entry)
        else { return false }
        self.entry = entry
        self.slotCount = slotCount
        self.nodeCount = nodeCount
        return true
    }

    private func apply(_ draft: borrowing LinkDraft) {
        for index in 0..<draft.count {
            links.setNeighbours(
                of: draft.slot(at: index), onLayer: draft.layer(at: index), to: draft.neighbours(at: index))
        }
    }
}
