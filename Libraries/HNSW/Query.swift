/// A vector that is being searched for or inserted, in the forms in which it is compared. It keeps its memory from one
/// vector to the next.
@safe
struct Query: ~Copyable, @unchecked Sendable {
    let dimension: Int
    private let floats: AlignedBuffer<Float>
    private let codes: AlignedBuffer<Int8>
    /// The vector is about `scale` times its code.
    private(set) var scale: Float = 0
    /// 128 times the sum of the code, which the product with a stored code has too much.
    private(set) var offset: Int32 = 0
    /// The squared length of `scale` times the code.
    private(set) var squaredLength: Float = 0
    /// How far that is from the vector, and the vector's length: no less than they are.
    private(set) var error: Float = 0
    private(set) var length: Float = 0

    init(dimension: Int) {
        self.dimension = dimension
        floats = AlignedBuffer(count: DistanceKernels.paddedVector(dimension), filledWith: 0)
        codes = AlignedBuffer(count: DistanceKernels.paddedCode(dimension), filledWith: 0)
    }

    init(_ vector: PreparedVector) {
        self.init(dimension: vector.components.count)
        unsafe vector.components.withUnsafeBufferPointer { source in
            guard let first = source.baseAddress else { return }
            unsafe floats.base.update(from: first, count: source.count)
        }
        encode()
    }

    /// - Throws: what `PreparedVector` throws.
    mutating func load(_ vector: [Float], metric: Metric) throws(HNSWError) {
        let length = try PreparedVector.divisor(of: vector, dimension: dimension, metric: metric)
        unsafe vector.withUnsafeBufferPointer { source in
            if let length {
                for position in 0..<dimension {
                    unsafe floats.base[position] = Float(Double(source[position]) / length)
                }
            } else {
                for position in 0..<dimension { unsafe floats.base[position] = source[position] }
            }
        }
        encode()
    }

    private mutating func encode() {
        let code = unsafe VectorCode(of: floats.base, count: dimension) { position, value in
            unsafe codes.base[position] = value
        }
        scale = code.scale
        offset = 128 * code.sum
        squaredLength = code.squaredLength
        error = code.error
        length = code.length
    }

    @unsafe
    var pointer: UnsafePointer<Float> {
        @inline(__always) get { unsafe UnsafePointer(floats.base) }
    }

    @unsafe
    var code: UnsafePointer<Int8> {
        @inline(__always) get { unsafe UnsafePointer(codes.base) }
    }
}
