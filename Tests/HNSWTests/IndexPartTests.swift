import HNSW
import Testing

@Suite struct `An index made of another's parts` {
    @Test(arguments: [Representation.float32, .int8, .int8OverBFloat16])
    func `finds the same with the same effort, and goes on as the other does`(_ kept: Representation) throws {
        var generator = RandomVectors(seed: 21, dimension: 12)
        let configuration = HNSWConfiguration(dimension: 12, metric: .euclidean, m: 5, efConstruction: 30, representation: kept)
        let first = try HNSWIndex<Int>(configuration)
        try first.insert(generator.vectors(700).enumerated().map { (key: $0, vector: $1) }, threads: 2)
        // Far enough that nodes are being moved, with free slots and blocks behind them.
        for key in 0..<380 { first.remove(key) }
        for key in 650..<680 { try first.insert(generator.vector(), for: key) }

        let second = try Parts(of: first).index(configuration)
        #expect(second.validate() == [])
        try expectSame(first, second, &generator)

        for index in [first, second] {
            var later = RandomVectors(seed: 22, dimension: 12)
            for key in 300..<420 { try index.insert(later.vector(), for: key) }
            for key in 300..<640 { index.remove(key) }
            try index.insert(later.vectors(300).enumerated().map { (key: 2_000 + $0, vector: $1) }, threads: 2)
        }
        #expect(second.validate() == [])
        try expectSame(first, second, &generator)
    }

    @Test func `may be empty`() throws {
        let configuration = HNSWConfiguration(dimension: 3)

        let index = try Parts(of: HNSWIndex<Int>(configuration)).index(configuration)
        try index.insert([1, 0, 0], for: 1)

        #expect(try index.search([1, 0, 0], k: 1).map(\.key) == [1])
        #expect(index.validate() == [])
    }

    /// Checksums are the caller's affair. What comes through all the same may be a bad index, but reads nothing that is not its own.
    @Test func `of which some bytes are others is refused, or answers`() throws {
        var generator = RandomVectors(seed: 23, dimension: 6)
        let configuration = HNSWConfiguration(dimension: 6, m: 4, efConstruction: 16)
        let index = try HNSWIndex<Int>(configuration)
        for key in 0..<200 { try index.insert(generator.vector(), for: key) }
        for key in 0..<40 { index.remove(key) }
        let parts = Parts(of: index)
        var refused = 0

        for _ in 0..<400 {
            var damaged = parts
            let part: IndexPart = [.keys, .links, .upperLinks, .firstBlocks, .heights].randomElement(using: &generator.random) ?? .links
            guard let count = damaged.bytes[part]?.count, count > 0 else { continue }
            damaged.bytes[part]?[Int.random(in: 0..<count, using: &generator.random)] ^= 1 << UInt8.random(in: 0..<8, using: &generator.random)
            do {
                let other = try damaged.index(configuration)
                #expect(try other.search(generator.vector(), k: 5).count <= 5)
            } catch {
                #expect((error as? HNSWError)?.code == .inconsistent)
                refused += 1
            }
        }
        #expect(refused > 100)
    }

    @Test func `that are too short or too long is refused`() throws {
        let configuration = HNSWConfiguration(dimension: 3)
        let index = try HNSWIndex<Int>(configuration)
        for key in 0..<20 { try index.insert([1, 0, Float(key)], for: key) }

        for part in IndexPart.allCases where Parts(of: index).bytes[part]?.isEmpty == false {
            var shorter = Parts(of: index), longer = shorter
            shorter.bytes[part]?.removeLast()
            longer.bytes[part]?.append(0)
            #expect { try shorter.index(configuration) } throws: { ($0 as? HNSWError)?.code == .inconsistent }
            #expect { try longer.index(configuration) } throws: { ($0 as? HNSWError)?.code == .inconsistent }
        }
    }

    @Test func `is not to be made under another layout`() {
        let layout = HNSWConfiguration(dimension: 3).layout
        let others = [
            HNSWConfiguration(dimension: 4), HNSWConfiguration(dimension: 3, metric: .euclidean), HNSWConfiguration(dimension: 3, m: 8),
            HNSWConfiguration(dimension: 3, efConstruction: 100), HNSWConfiguration(dimension: 3, keepPruned: false),
            HNSWConfiguration(dimension: 3, representation: .float32), HNSWConfiguration(dimension: 3, seed: 1),
        ]
        for other in others { #expect(other.layout != layout) }
        #expect(HNSWConfiguration(dimension: 3, efSearch: 7).layout == layout)
    }

    private func expectSame(_ first: HNSWIndex<Int>, _ second: HNSWIndex<Int>, _ generator: inout RandomVectors) throws {
        #expect(first.count == second.count)
        for query in generator.vectors(25) {
            let (one, two) = (try first.search(query, k: 8, efSearch: 12), try second.search(query, k: 8, efSearch: 12))
            #expect(one.matches == two.matches)
            #expect((one.hops, one.comparisons) == (two.hops, two.comparisons))
        }
    }
}

/// The parts of an index, each as bytes.
private struct Parts {
    var bytes: [IndexPart: [UInt8]] = [:]

    init(of index: HNSWIndex<Int>) {
        index.forEachPart { part, span in
            bytes[part] = unsafe span.withUnsafeBytes { unsafe Array($0) }
        }
    }

    func index(_ configuration: HNSWConfiguration) throws -> HNSWIndex<Int> {
        try HNSWIndex(configuration) { bytes[$0]?.count ?? 0 } fill: { part, place in
            unsafe place.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes[part] ?? []) }
        }
    }
}
