/// Walks the graph and states every promise that does not hold.
extension HNSWGraph {
    func validate() -> [String] {
        var violations: [String] = []
        let nodes = (0..<Int32(slotCount)).filter { links.level(of: $0) >= 0 }
        if nodes.count != count { violations.append("There are \(nodes.count) nodes, and \(count) are counted.") }
        guard entry >= 0 else {
            if !nodes.isEmpty { violations.append("There are \(nodes.count) nodes and no entry.") }
            return violations
        }
        guard entry < slotCount, links.level(of: entry) >= 0 else {
            return violations + ["The entry, slot \(entry), holds no node."]
        }

        let highest = nodes.map { links.level(of: $0) }.max() ?? -1
        if topLayer != highest {
            violations.append("The entry is on layer \(topLayer), and there are nodes on layer \(highest).")
        }
        for layer in 0...highest {
            let members = nodes.filter { links.level(of: $0) >= layer }
            for node in members { checkLinks(of: node, onLayer: layer, &violations) }
            let unreached = Set(members).subtracting(reachable(onLayer: layer))
            if let example = unreached.min() {
                violations.append("On layer \(layer) \(unreached.count) nodes cannot be reached, slot \(example) is one.")
            }
        }
        checkBlocks(of: nodes, &violations)
        return violations
    }

    private func checkLinks(of node: Int32, onLayer layer: Int, _ violations: inout [String]) {
        let neighbours = neighbours(of: node, onLayer: layer)
        let limit = links.limit(onLayer: layer)
        if neighbours.count > limit {
            violations.append("Slot \(node) has \(neighbours.count) neighbours on layer \(layer); \(limit) are allowed.")
        }
        if Set(neighbours).count != neighbours.count {
            violations.append("Slot \(node) has a neighbour twice on layer \(layer).")
        }
        for neighbour in neighbours {
            if neighbour == node {
                violations.append("Slot \(node) is its own neighbour on layer \(layer).")
            } else if neighbour < 0 || neighbour >= slotCount || links.level(of: neighbour) < layer {
                violations.append("Slot \(node) has slot \(neighbour) as neighbour, which is not on layer \(layer).")
            } else if !links.neighbours(of: neighbour, onLayer: layer).contains(node) {
                violations.append("Slot \(node) has slot \(neighbour) as neighbour on layer \(layer), but not in turn.")
            }
        }
    }

    private func reachable(onLayer layer: Int) -> Set<Int32> {
        var met: Set<Int32> = [entry]
        var queue = [entry]
        while let node = queue.popLast() {
            for neighbour in neighbours(of: node, onLayer: layer) where met.insert(neighbour).inserted {
                // A link to where no node is has been reported; it leads nowhere.
                if neighbour >= 0, neighbour < slotCount, links.level(of: neighbour) >= layer { queue.append(neighbour) }
            }
        }
        return met
    }

    /// Blocks of upper layers belong to one node each.
    private func checkBlocks(of nodes: [Int32], _ violations: inout [String]) {
        var owners: [Int32: Int32] = [:]
        for node in nodes where links.level(of: node) > 0 {
            let first = links.firstBlock(of: node)
            for block in first..<first + Int32(links.level(of: node)) {
                if block < 0 || Int(block) >= links.blockCapacity {
                    violations.append("Slot \(node) has block \(block), which does not exist.")
                } else if let owner = owners.updateValue(node, forKey: block) {
                    violations.append("Slots \(owner) and \(node) share block \(block).")
                }
            }
        }
    }

    private func neighbours(of node: Int32, onLayer layer: Int) -> [Int32] {
        let list = links.neighbours(of: node, onLayer: layer)
        return (0..<max(0, list.count)).map { list[$0] }
    }
}
