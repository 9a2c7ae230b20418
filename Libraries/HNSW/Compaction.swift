/// Slots from which on giving memory back is worth the work, and nodes that move with one removal.
private let slotsWorthCompacting = 256
private let movesAtOnce = 64

/// Giving back the memory of those that were removed.
extension HNSWIndex {
    /// Once more than half of the slots are free, moves nodes from the last slots to the first free ones, some with each
    /// removal, and gives the memory behind them back in the end. A node moves under the write lock, in a microsecond:
    /// since links are mutual, it knows all who name its slot.
    func compact(_ writer: inout Writer) {
        if !writer.isCompacting {
            let slotCount = writer.allocator.slotCount
            guard slotCount >= slotsWorthCompacting, slotCount > 2 * slots.count else { return }
            writer.allocator.sortFree()
            writer.isCompacting = true
        }
        for _ in 0..<movesAtOnce {
            var last = writer.allocator.slotCount - 1
            while last >= 0, graph.links.level(of: Int32(last)) < 0 { last -= 1 }
            writer.allocator.cut(to: last + 1)
            guard let target = writer.allocator.takeFree() else {
                writer.isCompacting = false
                return giveBack(behind: last + 1)
            }
            move(Int32(last), to: target)
        }
    }

    private func move(_ source: Int32, to target: Int32) {
        graph.vectors.move(source, to: target)
        lock.withWriteLock {
            graph.commitMove(of: source, to: target)
            if let key = keys[Int(source)] { put(key, at: target) }
            keys[Int(source)] = nil
        }
        graph.vectors.erase(source)
    }

    private func giveBack(behind slotCount: Int) {
        let capacity = max(64, slotCount + slotCount / 2)
        guard capacity < graph.vectors.capacity else { return }
        var newKeys = Array(keys.prefix(capacity))
        var newSlots = [Key: Int32](minimumCapacity: capacity)
        for (key, slot) in slots { newSlots[key] = slot }
        lock.withWriteLock {
            graph.cut(to: slotCount)
            graph.shrink(to: capacity)
            swap(&keys, &newKeys)
            swap(&slots, &newSlots)
            revision += 1
        }
    }
}
