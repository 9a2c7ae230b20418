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

    /// A checksum tells nothing of numbers that were wrong when it was made.
    @Test func `of which a number was made up is refused before it is used`() throws {
        let configuration = HNSWConfiguration(dimension: 6, m: 4, efConstruction: 16)
        let parts = try Self.partsOfUsedIndex(configuration)
        let state: [Int64] = parts.numbers(.state)
        // How many slots there are, the entry, how many nodes; slots and blocks that were handed out, and how many slots are free.
        for place in [0, 1, 2, 5, 6, 7] {
            for number in [.min, -2, Int64(Int32.max), 1 << 40, .max] {
                var edited = parts
                var numbers = state
                numbers[place] = number
                edited.put(numbers, to: .state)
                #expect(isRefused(edited, configuration), "\(number) at \(place)")
            }
        }
        #expect(!isRefused(parts, configuration))
    }

    @Test func `that keeps no promise of a graph's is refused`() throws {
        let configuration = HNSWConfiguration(dimension: 6, m: 4, efConstruction: 16)
        let parts = try Self.partsOfUsedIndex(configuration)
        let heights: [UInt8] = parts.numbers(.heights)
        let nodes = heights.indices.filter { heights[$0] > 0 }
        let high = nodes.filter { heights[$0] > 1 }
        let state: [Int64] = parts.numbers(.state)
        let links: [Int32] = parts.numbers(.links)
        // The room of a list on layer 0: its length, and twice m.
        let room = 9
        let first = try #require(nodes.first { links[$0 * room] > 1 })

        func expectRefused(_ what: String, _ edit: (inout Parts) -> Void) {
            var edited = parts
            edit(&edited)
            #expect(isRefused(edited, configuration), "\(what)")
        }
        for target in [Int32(heights.count), -1, .max, Int32(first), links[first * room + 2]] {
            expectRefused("a link to \(target)") { $0.change(.links, at: first * room + 1, to: target) }
        }
        let stranger = try #require(nodes.first { node in
            node != first && !links[(first * room + 1)...(first * room + Int(links[first * room]))].contains(Int32(node))
        })
        expectRefused("a link that is none the other way") { $0.change(.links, at: first * room + 1, to: Int32(stranger)) }
        expectRefused("a link less on one side") { $0.change(.links, at: first * room, to: links[first * room] - 1) }
        expectRefused("more links than there is room for") { $0.change(.links, at: first * room, to: Int32(room)) }
        expectRefused("fewer links than none") { $0.change(.links, at: first * room, to: Int32(-1)) }
        for height in [UInt8(32), 255] { expectRefused("a level of \(height - 1)") { $0.change(.heights, at: first, to: height) } }
        expectRefused("an entry below the highest layer") { edited in
            edited.change(.state, at: 1, to: Int64(nodes.first { heights[$0] == 1 } ?? -1))
        }
        expectRefused("an entry that is no node") { edited in
            edited.change(.state, at: 1, to: Int64(heights.firstIndex(of: 0) ?? -1))
        }
        let blocks: [Int32] = parts.numbers(.firstBlocks)
        expectRefused("two nodes with one block") { $0.change(.firstBlocks, at: high[0], to: blocks[high[1]]) }
        expectRefused("a block that is not there") { $0.change(.firstBlocks, at: high[0], to: Int32.max) }
        for slot in [Int64(nodes[0]), Int64(heights.count), -1, state[9], 1 << 32] {
            expectRefused("slot \(slot) to be given next") { $0.change(.state, at: 8, to: slot) }
        }
        let runs = 8 + Int(state[7])
        expectRefused("a node's block to be given next") { edited in
            // Behind the free slots stand the free runs of blocks, by their length: of none, of one, and so on.
            var numbers = state
            numbers[runs + 1] += 1
            numbers.insert(Int64(blocks[high[0]]), at: runs + 2)
            edited.put(numbers, to: .state)
        }
        let keys: [Int64] = parts.numbers(.keys)
        expectRefused("two nodes with one key") { $0.change(.keys, at: nodes[0], to: keys[nodes[1]]) }
        expectRefused("a key below 0") { $0.change(.keys, at: nodes[0], to: Int64(-7)) }
        expectRefused("a key and no node") { $0.change(.keys, at: heights.firstIndex(of: 0) ?? 0, to: Int64(9_999)) }
        expectRefused("a vector that is no number") { $0.change(.vectors, at: first * 16, to: Float.nan.bitPattern) }
        expectRefused("a scale that is infinite") { $0.change(.codeTerms, at: first * 4, to: Float.infinity.bitPattern) }
    }

    @Test func `in two pieces that nothing connects is refused`() throws {
        let configuration = HNSWConfiguration(dimension: 3, m: 2)
        let index = try HNSWIndex<Int>(configuration)
        for key in 0..<2 { try index.insert([1, 0, Float(key)], for: key) }
        var parts = Parts(of: index)
        // Neither of two nodes has a neighbour.
        for slot in 0..<2 { parts.change(.links, at: slot * 5, to: Int32(0)) }

        #expect(isRefused(parts, configuration))
    }

    private func isRefused(_ parts: Parts, _ configuration: HNSWConfiguration) -> Bool {
        do {
            _ = try parts.index(configuration)
            return false
        } catch {
            return (error as? HNSWError)?.code == .inconsistent
        }
    }

    /// Of an index with free slots.
    private static func partsOfUsedIndex(_ configuration: HNSWConfiguration) throws -> Parts {
        var generator = RandomVectors(seed: 24, dimension: configuration.dimension)
        let index = try HNSWIndex<Int>(configuration)
        for key in 0..<200 { try index.insert(generator.vector(), for: key) }
        for key in 0..<40 { index.remove(key) }
        return Parts(of: index)
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

    func numbers<Number: FixedWidthInteger>(_ part: IndexPart) -> [Number] {
        let bytes = self.bytes[part] ?? []
        let size = MemoryLayout<Number>.size
        return stride(from: 0, to: bytes.count, by: size).map { start in
            bytes[start..<(start + size)].reversed().reduce(Number(0)) { number, byte in
                // A number of one byte has no room to be moved in.
                (size > 1 ? number << 8 : 0) | Number(truncatingIfNeeded: byte)
            }
        }
    }

    mutating func put<Number: FixedWidthInteger>(_ numbers: [Number], to part: IndexPart) {
        bytes[part] = numbers.flatMap { number in
            (0..<MemoryLayout<Number>.size).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
    }

    /// Puts another number in the place of one.
    mutating func change<Number: FixedWidthInteger>(_ part: IndexPart, at place: Int, to number: Number) {
        var all: [Number] = numbers(part)
        all[place] = number
        put(all, to: part)
    }

    func index(_ configuration: HNSWConfiguration) throws -> HNSWIndex<Int> {
        try HNSWIndex(configuration) { bytes[$0]?.count ?? 0 } fill: { part, place in
            unsafe place.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes[part] ?? []) }
        }
    }
}
