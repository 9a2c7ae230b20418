/// A vector that has been checked, and normalised where the metric asks for it. Nothing else enters a store.
struct PreparedVector {
    let components: [Float]

    /// - Throws: `.wrongDimension`, `.notFinite`, `.zeroLength` under cosine, `.tooLong` under the others.
    init(_ vector: [Float], dimension: Int, metric: Metric) throws(HNSWError) {
        guard vector.count == dimension else { throw .wrongDimension(vector.count, expected: dimension) }

        // Doubles: the square of every finite Float, even a subnormal one, is exact enough and neither overflows nor
        // vanishes.
        var squaredLength = 0.0
        for position in vector.indices {
            let component = Double(vector[position])
            guard component.isFinite else { throw .notFinite(position) }
            squaredLength += component * component
        }

        switch metric {
        case .cosine:
            guard squaredLength > 0 else { throw .zeroLength }
            let length = squaredLength.squareRoot()
            components = vector.map { Float(Double($0) / length) }
        case .innerProduct, .euclidean:
            // |a·b| <= |a||b| and |a-b|² <= (|a|+|b|)² stay finite under this bound, partial sums included.
            guard squaredLength < Double(Float.greatestFiniteMagnitude) / 8 else { throw .tooLong }
            components = vector
        }
    }
}
