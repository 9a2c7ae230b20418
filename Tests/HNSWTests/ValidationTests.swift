@testable import HNSW
import Testing

@Suite struct `Validation` {
    @Test func `names each kind of damage`() {
        #expect(violations { _ in } == [])
        #expect(
            violations { $0.append(1, to: 0) }.contains("Slot 0 has slot 1 as neighbour on layer 0, but not in turn.")
        )
        #expect(violations { $0.append(2, to: 2) }.contains("Slot 2 is its own neighbour on layer 0."))
        #expect(
            violations { $0.append(9, to: 3) }.contains("Slot 3 has slot 9 as neighbour, which is not on layer 0."))
        #expect(
            violations { $0.isolate(3) }.contains("On layer 0 1 nodes cannot be reached, slot 3 is one."))
    }

    /// What validation says about a ring of six nodes that someone has damaged.
    private func violations(after damage: (inout Ring) -> Void) -> [String] {
        var ring = Ring()
        damage(&ring)
        return ring.graph().validate()
    }

    private struct Ring {
        private var lists: [[Int32]] = (0..<6).map { [($0 + 2) % 6, ($0 + 4) % 6, ($0 + 3) % 6] }

        mutating func append(_ neighbour: Int32, to slot: Int) { lists[slot].append(neighbour) }

        mutating func isolate(_ slot: Int32) {
            lists[Int(slot)] = []
            for other in lists.indices { lists[other].removeAll { $0 == slot } }
        }

        func graph() -> HNSWGraph {
            let configuration = HNSWConfiguration(dimension: 1, m: 2)
            var graph = HNSWGraph(configuration: configuration)
            graph.grow(to: 16, blockCapacity: 0)
            var draft = LinkDraft(configuration: configuration)
            draft.begin(capacity: 16)
            for slot in 0..<Int32(6) {
                graph.commitInsertion([.init(slot: slot, level: 0, firstBlock: -1)], draft: draft, replacing: nil)
            }
            for (slot, list) in lists.enumerated() {
                unsafe list.withUnsafeBufferPointer { list in
                    guard let first = list.baseAddress else { return }
                    unsafe graph.links.setNeighbours(
                        of: Int32(slot), onLayer: 0, to: SlotList(first: first, count: list.count))
                }
            }
            return graph
        }
    }
}
