/// Compares one vector with others, which are kept as bytes, by the cosine of their angle.
///
/// In doubles, which hold the square of every Float: it is exact, the same every time, and whatever the vectors' lengths. Some thousand are compared in
/// milliseconds (half a microsecond each, for 384 components); more are an index's.
package struct ExactCosine: Sendable {
    private let query: [Double]

    /// - Throws: `.wrongDimension`, `.notFinite`, `.zeroLength` for what cannot be compared.
    package static func check(_ vector: [Float], dimension: Int) throws(HNSWError) {
        _ = try PreparedVector.divisor(of: vector, dimension: dimension, metric: .cosine)
    }

    /// - Parameter vector: one that was checked.
    package init(_ vector: [Float]) {
        let components = vector.map(Double.init)
        let length = components.reduce(0) { $0 + $1 * $1 }.squareRoot()
        query = components.map { $0 / length }
    }

    /// How a vector is kept: four bytes a component, the most significant first, as PostgreSQL's `float4send` has it.
    package static func bytes(of vector: [Float]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(vector.count * 4)
        for component in vector {
            let bits = component.bitPattern
            for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
        }
        return bytes
    }

    /// From -1 to 1. Of a vector that has no direction, or holds what is no number, -1: nothing is farther.
    ///
    /// - Parameter bytes: of the query's dimension; what stands in a table may be of no vector that was checked.
    package func similarity(to bytes: [UInt8]) -> Float {
        precondition(bytes.count == query.count * 4, "vectors of one dimension are compared")
        var product = 0.0
        var squaredLength = 0.0
        var start = 0
        for part in query {
            let bits =
                UInt32(bytes[start]) << 24 | UInt32(bytes[start &+ 1]) << 16 | UInt32(bytes[start &+ 2]) << 8
                | UInt32(bytes[start &+ 3])
            let component = Double(Float(bitPattern: bits))
            product += part * component
            squaredLength += component * component
            start &+= 4
        }
        let cosine = Float(product / squaredLength.squareRoot())
        return cosine.isNaN ? -1 : min(1, max(-1, cosine))
    }
}
