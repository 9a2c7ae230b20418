/// A vector that has been checked, and normalised where the metric asks for it. Nothing else enters a store.
struct PreparedVector {
    let components: [Float]

    /// - Parameter isCompact: whether the components are rounded to bfloat16, as they will be stored.
    /// - Throws: `.wrongDimension`, `.notFinite`, `.zeroLength` under cosine, `.tooLong` under the others.
    init(_ vector: [Float], dimension: Int, metric: Metric, isCompact: Bool = false) throws(HNSWError) {
        let length = try PreparedVector.divisor(of: vector, dimension: dimension, metric: metric)
        let components = length.map { length in vector.map { Float(Double($0) / length) } } ?? vector
        self.components = isCompact ? components.map(PreparedVector.bfloat16) : components
    }

    /// The nearest float whose lower half is empty; of two, that with an even last bit. `.tooLong` keeps out what would
    /// become infinite.
    private static func bfloat16(_ value: Float) -> Float {
        let bits = value.bitPattern
        return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
    }

    /// What the components are to be divided by; `nil` where they stay as they are.
    static func divisor(of vector: [Float], dimension: Int, metric: Metric) throws(HNSWError) -> Double? {
        guard vector.count == dimension else { throw .wrongDimension(vector.count, expected: dimension) }

        // Doubles: the square of every finite Float, even a subnormal one, is exact enough and neither overflows nor
        // vanishes. Four sums side by side do not wait for one another.
        var sums = SIMD4<Double>.zero
        var position = 0
        unsafe vector.withUnsafeBufferPointer { source in
            while position &+ 4 <= dimension {
                let four = unsafe SIMD4<Double>(
                    SIMD4(source[position], source[position &+ 1], source[position &+ 2], source[position &+ 3]))
                sums += four * four
                position &+= 4
            }
            while position < dimension {
                let component = unsafe Double(source[position])
                sums[0] += component * component
                position &+= 1
            }
        }
        let squaredLength = sums.sum()
        guard squaredLength.isFinite else {
            throw .notFinite(vector.firstIndex { !$0.isFinite } ?? 0)
        }

        switch metric {
        case .cosine:
            guard squaredLength > 0 else { throw .zeroLength }
            return squaredLength.squareRoot()
        case .innerProduct, .euclidean:
            // |a·b| <= |a||b| and |a-b|² <= (|a|+|b|)² stay finite under this bound, partial sums included.
            guard squaredLength < Double(Float.greatestFiniteMagnitude) / 8 else { throw .tooLong }
            return nil
        }
    }
}
