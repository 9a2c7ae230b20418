internal import Synchronization

extension HNSWIndex where Key == Int {
    /// Keys are 0 or more, so this is none.
    private static var noKey: Int64 { -1 }

    /// Lends the parts one after the other, all of one moment: writers wait until the last has been seen, searches do not.
    package func forEachPart<Failure: Error>(
        _ body: (IndexPart, RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        try writer.withLock { writer throws(Failure) in
            let slots = max(graph.slotCount, writer.allocator.slotCount)
            let state =
                [Int64(slots), Int64(graph.entry), Int64(graph.count), writer.isCompacting ? 1 : 0]
                + writer.allocator.state
            try body(.state, unsafe state.span.bytes)
            let numbers = keys.prefix(slots).map { $0.map(Int64.init) ?? Self.noKey }
            try body(.keys, unsafe numbers.span.bytes)
            try graph.vectors.forEachPart(slots, body)
            try graph.links.forEachPart(slots, blocks: writer.allocator.blockCount, body)
        }
    }

    /// An index made of the parts of another with the same `layout`.
    ///
    /// - Parameters:
    ///   - bytes: How long a part is.
    ///   - fill: Puts a part where it belongs. May be called for several parts in any order; each once.
    /// - Throws: `.inconsistent` for parts that cannot be one index's, and what `fill` throws. Whatever their numbers say, nothing takes much
    ///   more memory than they do, and what comes of them can be searched and changed as any other index.
    package convenience init(
        _ configuration: HNSWConfiguration, bytes: (IndexPart) -> Int,
        fill: (IndexPart, inout MutableRawSpan) throws -> Void
    ) throws {
        try self.init(configuration)
        let state = try Self.numbers(.state, bytes, fill)
        let keys = try Self.numbers(.keys, bytes, fill)
        try writer.withLock { writer in
            guard state.count > 4, writer.allocator.restore(state[4...]) else {
                throw HNSWError.inconsistent("its state is not one.")
            }
            let (slots, blocks) = (Int(state[0]), writer.allocator.blockCount)
            guard slots == keys.count, slots >= writer.allocator.slotCount, slots < Int(Int32.max) else {
                throw HNSWError.inconsistent("there are \(keys.count) keys for \(slots) slots.")
            }
            // Before there is room for anything: what is to come must be there.
            for (part, count) in graph.vectors.partBytes(slots) + graph.links.partBytes(slots, blocks: blocks) {
                guard bytes(part) == count else {
                    throw HNSWError.inconsistent("part \(part) has \(bytes(part)) bytes and not \(count).")
                }
            }
            writer.isCompacting = state[3] != 0
            graph.grow(to: max(64, slots + slots / 2), blockCapacity: blocks + blocks / 2)
            let checkedFill = { (part: IndexPart, place: inout MutableRawSpan) throws in
                guard bytes(part) == place.byteCount else {
                    throw HNSWError.inconsistent("part \(part) has \(bytes(part)) bytes and not \(place.byteCount).")
                }
                try fill(part, &place)
            }
            try graph.vectors.fillParts(slots, checkedFill)
            try graph.links.fillParts(slots, blocks: blocks, checkedFill)
            guard let entry = Int32(exactly: state[1]), let count = Int(exactly: state[2]), count >= 0,
                graph.restore(entry: entry, slotCount: slots, nodeCount: count, blockCount: blocks)
            else { throw HNSWError.inconsistent("its links are no graph's.") }
            guard writer.allocator.handsOutWhatIsFree(in: graph.links, slots: slots) else {
                throw HNSWError.inconsistent("what is to be handed out next is in use.")
            }
            guard graph.vectors.holdsNumbers(slots) else { throw HNSWError.inconsistent("it holds what is no number.") }
            try adopt(keys)
        }
    }

    private static func numbers(
        _ part: IndexPart, _ bytes: (IndexPart) -> Int, _ fill: (IndexPart, inout MutableRawSpan) throws -> Void
    ) throws -> [Int64] {
        guard bytes(part) % 8 == 0 else { throw HNSWError.inconsistent("part \(part) does not consist of numbers.") }
        var numbers = [Int64](repeating: 0, count: bytes(part) / 8)
        var span = numbers.mutableSpan
        var place = unsafe span.mutableBytes
        try fill(part, &place)
        return numbers
    }

    /// Each node has a key of its own, and no other slot has one.
    private func adopt(_ numbers: [Int64]) throws(HNSWError) {
        keys = Array(repeating: nil, count: graph.vectors.capacity)
        slots = Dictionary(minimumCapacity: graph.vectors.capacity)
        for (slot, number) in numbers.enumerated() {
            guard (number != Self.noKey) == (graph.links.level(of: Int32(slot)) >= 0) else {
                throw .inconsistent("slot \(slot) has a key and no node, or the other way about.")
            }
            if number == Self.noKey { continue }
            guard number >= 0 else { throw .inconsistent("slot \(slot) has a key below 0.") }
            keys[slot] = Int(number)
            guard slots.updateValue(Int32(slot), forKey: Int(number)) == nil else {
                throw .inconsistent("two slots have one key.")
            }
        }
        guard slots.count == graph.count else { throw .inconsistent("it does not have as many nodes as keys.") }
        revision += 1
    }
}

extension HNSWIndex {
    /// What vectors, codes and links take, without what is reserved.
    package var byteCount: Int {
        lock.withReadLock {
            graph.slotCount * (graph.vectors.bytesPerSlot + graph.links.bytesPerSlot)
                + graph.links.blockCapacity * graph.links.bytesPerBlock
        }
    }
}
