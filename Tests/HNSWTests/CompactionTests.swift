@testable import HNSW
import Testing

@Suite struct `An index that shrinks` {
    @Test(arguments: [Representation.float32, .int8, .int8OverBFloat16], [nil, "/tmp"])
    func `gives its memory back, and loses nothing that stays`(kind: Representation, folder: String?) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = RandomVectors(seed: seed, dimension: 8)
        let index = try HNSWIndex<Int>(
            HNSWConfiguration(
                dimension: 8, metric: .euclidean, m: 4, efConstruction: 16, representation: kind, vectorFolder: folder,
                seed: seed))
        for key in 0..<3_000 { try index.insert(generator.vector(), for: key) }
        let capacity = index.capacity
        let stay = (0..<3_000).shuffled(using: &generator.random).prefix(150)
        let vectors = stay.map { index.vector(for: $0) }

        for (number, key) in Set(0..<3_000).subtracting(stay).shuffled(using: &generator.random).enumerated() {
            index.remove(key)
            // New ones come in while it is being compacted.
            if number % 50 == 0 { try index.insert(generator.vector(), for: 10_000 + number) }
                if number % 900 == 0 { #expect(index.validate() == [], "seed \(seed), \(number)") }
        }
        for number in stride(from: 0, to: 3_000, by: 50) { index.remove(10_000 + number) }

        #expect(index.count == 150)
        #expect(index.validate() == [], "seed \(seed)")
        #expect(index.capacity < capacity / 4, "seed \(seed)")
        #expect(stay.map { index.vector(for: $0) } == vectors)
        #expect(Set(try index.search(generator.vector(), k: 200).map(\.key)) == Set(stay))

        for key in 20_000..<21_000 { try index.insert(generator.vector(), for: key) }
        #expect(index.count == 1_150)
        #expect(index.validate() == [], "seed \(seed)")
    }
}
