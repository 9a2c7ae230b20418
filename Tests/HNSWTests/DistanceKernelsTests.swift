@testable import HNSW
import Testing

@Suite struct `The distance kernels` {
    @Test(arguments: [16, 32, 48, 112, 384, 768, 1152])
    func `agree with sums in double precision, each kind`(count: Int) {
        var generator = RandomVectors(seed: UInt64(count), dimension: count)
        let (a, b) = (generator.vector(), generator.vector())
        var product = 0.0
        var squared = 0.0
        for (x, y) in zip(a, b) {
            product += Double(x) * Double(y)
            squared += (Double(x) - Double(y)) * (Double(x) - Double(y))
        }

        let products = unsafe each(a, b, [DistanceKernels.vectorProduct, DistanceKernels.scalarProduct])
        let distances = unsafe each(
            a, b, [DistanceKernels.vectorSquaredDistance, DistanceKernels.scalarSquaredDistance])

        for found in products { #expect(abs(Double(found) - product) < 1e-4 * Double(count)) }
        for found in distances { #expect(abs(Double(found) - squared) < 1e-6 * squared) }
    }

    private typealias Kernel = (UnsafePointer<Float>, UnsafePointer<Float>, Int) -> Float

    @unsafe
    private func each(_ a: [Float], _ b: [Float], _ kernels: [Kernel]) -> [Float] {
        unsafe a.withUnsafeBufferPointer { a in
            unsafe b.withUnsafeBufferPointer { b in
                guard let first = a.baseAddress, let second = b.baseAddress else { return [] }
                return unsafe kernels.map { unsafe $0(first, second, a.count) }
            }
        }
    }
}
