/// The lists of neighbours that an insertion or a removal is going to change, worked out beside the graph.
///
/// Searches go on undisturbed while the one writer drafts; only copying the drafted lists into the graph needs the
/// write lock. Reading through the draft shows the graph as it will be.
@safe
struct LinkDraft: ~Copyable {
    /// The layer whose lists are being drafted. Layers do not touch each other, so they are drafted in turn.
    private var layer = 0
    /// Lists drafted so far, each of slot, layer, length and the slots.
    private var lists: AlignedBuffer<Int32>
    private(set) var count = 0
    /// Where a slot's list of layer 0 is. An entry counts only if the list there says so, which spares clearing the array.
    private var positions = AlignedBuffer<Int32>(count: 0, filledWith: 0)
    /// Where the lists of the few on upper layers are.
    private var upperPositions: [SIMD2<Int32>: Int] = [:]
    private let stride: Int
    private static let header = 3

    init(configuration: HNSWConfiguration) {
        // One place more than a node may have: a link is made before another gives way to it.
        stride = LinkDraft.header + configuration.degreeLimit(onLayer: 0) + 1
        lists = AlignedBuffer(count: 64 * stride, filledWith: 0)
    }

    mutating func begin(capacity: Int) {
        count = 0
        layer = 0
        upperPositions.removeAll(keepingCapacity: true)
        if positions.count < capacity || positions.count > 4 * capacity + 4096 { positions = AlignedBuffer(count: capacity, filledWith: 0) }
    }

    mutating func openLayer(_ layer: Int) { self.layer = layer }

    // MARK: - Reading

    /// The neighbours that the slot will have; valid until the draft is changed.
    func neighbours(of slot: Int32, in links: borrowing LinkStore) -> SlotList {
        guard let index = index(of: slot) else { return links.neighbours(of: slot, onLayer: layer) }
        return neighbours(at: index)
    }

    func slot(at index: Int) -> Int32 { unsafe lists.base[index * stride] }
    func layer(at index: Int) -> Int { unsafe Int(lists.base[index * stride + 1]) }

    func neighbours(at index: Int) -> SlotList {
        precondition(index < count)
        let list = unsafe lists.base + index * stride
        return unsafe SlotList(first: list + LinkDraft.header, count: Int(list[2]))
    }

    private func index(of slot: Int32) -> Int? {
        if layer > 0 { return upperPositions[[slot, Int32(layer)]] }
        let index = unsafe Int(positions.base[Int(slot)])
        return index < count && self.slot(at: index) == slot && layer(at: index) == 0 ? index : nil
    }

    // MARK: - Changing

    /// Drafts a list for a slot that is not on this layer yet.
    mutating func addNode(_ slot: Int32) { _ = append(slot, neighbours: nil) }

    mutating func link(_ a: Int32, _ b: Int32, in links: borrowing LinkStore) {
        add(b, to: a, in: links)
        add(a, to: b, in: links)
    }

    mutating func unlink(_ a: Int32, _ b: Int32, in links: borrowing LinkStore) {
        remove(b, from: a, in: links)
        remove(a, from: b, in: links)
    }

    private mutating func add(_ neighbour: Int32, to slot: Int32, in links: borrowing LinkStore) {
        let list = unsafe editable(slot, in: links)
        let length = unsafe Int(list[2])
        precondition(LinkDraft.header + length < stride)
        unsafe list[LinkDraft.header + length] = neighbour
        unsafe list[2] = Int32(length + 1)
    }

    private mutating func remove(_ neighbour: Int32, from slot: Int32, in links: borrowing LinkStore) {
        let list = unsafe editable(slot, in: links)
        let last = unsafe LinkDraft.header + Int(list[2]) - 1
        var position = LinkDraft.header
        while position <= last {
            if unsafe list[position] == neighbour {
                unsafe list[position] = list[last]
                unsafe list[2] -= 1
                return
            }
            position += 1
        }
    }

    @unsafe
    private mutating func editable(_ slot: Int32, in links: borrowing LinkStore) -> UnsafeMutablePointer<Int32> {
        let index = index(of: slot) ?? append(slot, neighbours: links.neighbours(of: slot, onLayer: layer))
        return unsafe lists.base + index * stride
    }

    private mutating func append(_ slot: Int32, neighbours: SlotList?) -> Int {
        if (count + 1) * stride > lists.count { lists = lists.enlarged(to: lists.count * 2, filledWith: 0) }
        let list = unsafe lists.base + count * stride
        unsafe list[0] = slot
        unsafe list[1] = Int32(layer)
        unsafe list[2] = Int32(neighbours?.count ?? 0)
        if let neighbours {
            var position = 0
            while position < neighbours.count {
                unsafe list[LinkDraft.header + position] = neighbours[position]
                position += 1
            }
        }
        if layer > 0 {
            upperPositions[[slot, Int32(layer)]] = count
        } else {
            unsafe positions.base[Int(slot)] = Int32(count)
        }
        count += 1
        return count - 1
    }
}
