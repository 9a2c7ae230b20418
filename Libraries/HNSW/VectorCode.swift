/// A vector in one byte a component: each is `scale` times a whole number of -127...127.
///
/// The scale is the vector's own, so that its largest component uses the whole range.
struct VectorCode {
    let scale: Float
    let sum: Int32
    /// The squared length of `scale` times the code.
    let squaredLength: Float
    /// How far `scale` times the code is from the vector, and the vector's length; both rounded up.
    let error: Float
    let length: Float

    @unsafe
    init(of vector: UnsafePointer<Float>, count: Int, write: (Int, Int8) -> Void) {
        var largest: Float = 0
        for position in 0..<count { unsafe largest = max(largest, abs(vector[position])) }
        let scale = largest / 127
        // Where all components are as good as zero, the code is zero and the error is the vector.
        let factor = scale > .leastNormalMagnitude ? 1 / scale : 0
        var sum: Int32 = 0
        var (product, error, length) = (0.0, 0.0, 0.0)
        for position in 0..<count {
            let component = unsafe vector[position]
            let code = max(-127, min(127, (component * factor).rounded()))
            write(position, Int8(code))
            sum += Int32(code)
            product += Double(code * code)
            let difference = Double(component) - Double(scale) * Double(code)
            error += difference * difference
            length += Double(component) * Double(component)
        }
        self.scale = scale
        self.sum = sum
        squaredLength = Float(product * Double(scale) * Double(scale))
        // One part in 2^20 is more than the rounding of what is computed from them.
        self.error = Float(error.squareRoot()) * (1 + 0x1p-20)
        self.length = Float(length.squareRoot()) * (1 + 0x1p-20)
    }
}
