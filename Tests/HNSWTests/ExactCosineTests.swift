import Testing

@testable import HNSW

@Suite struct `An exact cosine` {
    @Test func `does not depend on how long vectors are, nor on what a Float can square`() {
        let vector: [Float] = [3, 0, -4]
        for factor in [1e-37, 1, 1e37] as [Float] {
            let cosine = ExactCosine(vector.map { $0 * factor })
            for other in [1e-37, 1, 1e37] as [Float] {
                #expect(cosine.similarity(to: ExactCosine.bytes(of: vector.map { $0 * other })) == 1)
                #expect(cosine.similarity(to: ExactCosine.bytes(of: vector.map { -$0 * other })) == -1)
            }
            #expect(cosine.similarity(to: ExactCosine.bytes(of: [0, 1, 0])) == 0)
            #expect(abs(cosine.similarity(to: ExactCosine.bytes(of: [1, 0, 0])) - 0.6) < 1e-6)
        }
    }

    @Test func `takes bytes as PostgreSQL's float4send makes them`() {
        #expect(ExactCosine.bytes(of: [1, -2, 0.1]) == [0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0, 0x3d, 0xcc, 0xcc, 0xcd])
    }

    /// Somebody may have written such into a table by hand.
    @Test func `is that of the farthest where there is no direction, and always a number`() {
        let nothing: [[Float]] = [[0, 0, 0], [.nan, 1, 0], [.infinity, 1, 0], [-.infinity, .infinity, 0]]
        for other in nothing {
            #expect(ExactCosine([1, 0, 0]).similarity(to: ExactCosine.bytes(of: other)) == -1)
            #expect(ExactCosine(other).similarity(to: ExactCosine.bytes(of: [1, 0, 0])) == -1)
            #expect(ExactCosine(other).similarity(to: ExactCosine.bytes(of: other)) == -1)
        }
    }

    private static let refused: [([Float], HNSWError.Code)] = [
        ([1, 2], .wrongDimension), ([1, .nan, 0], .notFinite), ([1, .infinity, 0], .notFinite), ([0, 0, -0], .zeroLength),
    ]

    @Test(arguments: refused) func `is of no vector that cannot be compared`(vector: [Float], code: HNSWError.Code) {
        let error = #expect(throws: HNSWError.self) { try ExactCosine.check(vector, dimension: 3) }
        #expect(error?.code == code)
    }
}
