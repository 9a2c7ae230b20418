@testable import HNSW
import Testing

@Suite struct `The distance kernels` {
    @Test(arguments: [16, 32, 48, 112, 384, 768, 1152])
    func `agree with sums in double precision, each kind`(count: Int) {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = RandomVectors(seed: seed, dimension: count)
        let (a, b) = (generator.vector(), generator.vector())
        // The upper halves of floats, and what they stand for.
        let halves = b.map { UInt16($0.bitPattern >> 16) }
        let rounded = halves.map { Float(bitPattern: UInt32($0) << 16) }

        for kernels in DistanceKernels.all {
            let exact = unsafe (
                kernels.product(a, b, count: count), kernels.squaredDistance(a, b, count: count))
            let compact = unsafe (
                kernels.product(a, halves, count: count), kernels.squaredDistance(a, halves, count: count))

            for (found, vector) in [(exact, b), (compact, rounded)] {
                let (product, squared) = sums(a, vector)
                #expect(abs(Double(found.0) - product) < 1e-4 * Double(count), "\(kernels.name), seed \(seed)")
                #expect(abs(Double(found.1) - squared) < 1e-6 * squared, "\(kernels.name), seed \(seed)")
            }
        }
    }

    @Test(arguments: [64, 128, 192, 384, 768, 1152, 65_536])
    func `multiply codes without an error, each kind`(count: Int) {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix64(state: seed)
        // The ends of the range come often: sums of products are largest there.
        func code() -> Int8 { [-127, 127, Int8.random(in: -127...127, using: &random)].randomElement(using: &random) ?? 0 }
        let stored = (0..<11).map { _ in (0..<count).map { _ in UInt8(Int(code()) + 128) } }
        let query = (0..<count).map { _ in code() }
        let slots: [Int32] = [3, 0, 10, 7, 7, 1, 2, 9, 4, 5, 8]
        let products = slots.map { slot in
            zip(stored[Int(slot)], query).reduce(Int32(0)) { $0 + Int32($1.0) * Int32($1.1) }
        }

        for kernels in DistanceKernels.all {
            for length in 0...slots.count {
                var found = [Int32](repeating: 7, count: slots.count)
                unsafe kernels.codeProducts(
                    query, stored.flatMap { $0 }, stride: count, slots, count: length, into: &found)
                #expect(found == Array(products.prefix(length)) + [Int32](repeating: 7, count: slots.count - length), "\(kernels.name), seed \(seed)")
            }
            for (a, b) in zip(stored, stored.dropFirst()) {
                let product = zip(a, b).reduce(Int32(0)) { $0 + Int32($1.0) * (Int32($1.1) - 128) }
                #expect(unsafe kernels.codeProduct(a, b, count: count) == product, "\(kernels.name), seed \(seed)")
            }
        }
    }

    @Test func `of this processor begin with the plain ones and include the fastest`() {
        #expect(DistanceKernels.all.first?.name == "scalar")
        #expect(DistanceKernels.all.last?.name == DistanceKernels.best.name)
    }

    private func sums(_ a: [Float], _ b: [Float]) -> (product: Double, squared: Double) {
        zip(a, b).reduce((0, 0)) { sums, pair in
            let (x, y) = (Double(pair.0), Double(pair.1))
            return (sums.0 + x * y, sums.1 + (x - y) * (x - y))
        }
    }
}
