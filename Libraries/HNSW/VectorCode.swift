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
        let scale = unsafe VectorCode.largest(of: vector, count: count) / 127
        // Where all components are as good as zero, the code is zero and the error is the vector.
        let factor = scale > .leastNormalMagnitude ? 1 / scale : 0
        var sums = Sums(scale: Double(scale), factor: factor)
        var position = 0
        while position &+ 4 <= count {
            let code = sums.add(unsafe four(vector, from: position))
            write(position, Int8(truncatingIfNeeded: code[0]))
            write(position &+ 1, Int8(truncatingIfNeeded: code[1]))
            write(position &+ 2, Int8(truncatingIfNeeded: code[2]))
            write(position &+ 3, Int8(truncatingIfNeeded: code[3]))
            position &+= 4
        }
        while position < count {
            let code = sums.add(SIMD4(unsafe vector[position], 0, 0, 0))
            write(position, Int8(truncatingIfNeeded: code[0]))
            position &+= 1
        }
        self.scale = scale
        sum = sums.codes.wrappedSum()
        squaredLength = Float(Double(sums.products.wrappedSum()) * Double(scale) * Double(scale))
        // One part in 2^20 is more than the rounding of what is computed from them.
        error = Float(sums.errors.sum().squareRoot()) * (1 + 0x1p-20)
        length = Float(sums.lengths.sum().squareRoot()) * (1 + 0x1p-20)
    }

    /// The largest component but for its sign. Of floats without signs the larger has the larger bits.
    @unsafe
    private static func largest(of vector: UnsafePointer<Float>, count: Int) -> Float {
        var largest = SIMD4<Int32>.zero
        var position = 0
        while position &+ 4 <= count {
            let bits = unsafe unsafeBitCast(four(vector, from: position), to: SIMD4<Int32>.self) & 0x7fff_ffff
            largest.replace(with: bits, where: bits .> largest)
            position &+= 4
        }
        var result = Float(bitPattern: UInt32(largest.max()))
        while position < count {
            result = unsafe max(result, abs(vector[position]))
            position &+= 1
        }
        return result
    }
}

@unsafe
@inline(__always)
private func four(_ vector: UnsafePointer<Float>, from position: Int) -> SIMD4<Float> {
    unsafe SIMD4(vector[position], vector[position &+ 1], vector[position &+ 2], vector[position &+ 3])
}

/// What encoding adds up, of four components at a time: one after the other it took a tenth of a search.
private struct Sums {
    let scale: Double
    let factor: Float
    var codes = SIMD4<Int32>.zero
    /// 16,129 at most for each component.
    var products = SIMD4<Int32>.zero
    var errors = SIMD4<Double>.zero
    var lengths = SIMD4<Double>.zero

    init(scale: Double, factor: Float) {
        self.scale = scale
        self.factor = factor
    }

    /// Added to a small float it leaves the nearest whole number in the last bits.
    private static let rounding: Float = 0x1.8p23

    @inline(__always)
    mutating func add(_ components: SIMD4<Float>) -> SIMD4<Int32> {
        let rounded = components * factor + Sums.rounding
        let code = unsafe unsafeBitCast(rounded, to: SIMD4<Int32>.self) &- Int32(bitPattern: Sums.rounding.bitPattern)
        codes &+= code
        products &+= code &* code
        let exact = SIMD4<Double>(components)
        let difference = exact - scale * SIMD4<Double>(rounded - Sums.rounding)
        errors += difference * difference
        lengths += exact * exact
        return code
    }
}
