internal import CDistance

/// The codes of the vectors of an index, which a walk compares instead of the vectors: a quarter of their memory, and
/// four times as many components at a time.
///
/// What is compared is as for the vectors, the negative product or the squared distance, of `scale` times code.
@safe
struct CodeStore: ~Copyable, @unchecked Sendable {
    /// Bytes from one slot's code to the next.
    let stride: Int
    private let kernels = DistanceKernels.best
    /// What the product of two codes is multiplied by, besides their scales.
    private let factor: Float
    /// What the squared lengths count.
    private let lengthWeight: Float
    private let metric: Metric

    /// Bytes with 128 on top of each.
    private var codes = Region<UInt8>()
    private var terms = Region<CodeTerms>()

    init(dimension: Int, metric: Metric) {
        stride = DistanceKernels.paddedCode(dimension)
        self.metric = metric
        factor = metric == .euclidean ? -2 : -1
        lengthWeight = metric == .euclidean ? 1 : 0
    }

    mutating func grow(to capacity: Int) {
        codes.grow(to: capacity * stride)
        terms.grow(to: capacity)
    }

    mutating func shrink(to capacity: Int) {
        codes.shrink(to: capacity * stride)
        terms.shrink(to: capacity)
    }

    @unsafe
    func write(_ vector: UnsafePointer<Float>, count: Int, to slot: Int32) {
        let target = unsafe codes.base + Int(slot) * stride
        let code = unsafe VectorCode(of: vector, count: count) { position, value in
            unsafe target[position] = UInt8(Int(value) + 128)
        }
        for position in count..<stride { unsafe target[position] = 128 }
        unsafe terms.base[Int(slot)] = CodeTerms(
            scale: code.scale, offset: 128 * code.sum, squaredLength: code.squaredLength, error: code.error)
    }

    func erase(_ slot: Int32) {
        unsafe (codes.base + Int(slot) * stride).update(repeating: 0, count: stride)
        unsafe terms.base[Int(slot)] = CodeTerms(scale: 0, offset: 0, squaredLength: 0, error: 0)
    }

    func move(_ source: Int32, to target: Int32) {
        unsafe (codes.base + Int(target) * stride).update(from: codes.base + Int(source) * stride, count: stride)
        unsafe terms.base[Int(target)] = terms.base[Int(source)]
    }

    // MARK: - Keeping

    var bytesPerSlot: Int { stride + MemoryLayout<CodeTerms>.stride }

    /// How long the parts of so many slots are.
    func partBytes(_ slots: Int) -> [(part: IndexPart, count: Int)] {
        [(part: .codes, count: slots * stride), (part: .codeTerms, count: slots * MemoryLayout<CodeTerms>.stride)]
    }

    /// Whether what belongs to the codes of these slots are finite numbers.
    func holdsNumbers(_ slots: Int) -> Bool {
        for slot in 0..<slots {
            let terms = unsafe terms.base[slot]
            guard terms.scale.isFinite, terms.squaredLength.isFinite, terms.error.isFinite else { return false }
        }
        return true
    }

    func forEachPart<Failure: Error>(
        _ slots: Int, _ body: (IndexPart, RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        try codes.withBytes(slots * stride) { bytes throws(Failure) in try body(.codes, bytes) }
        try terms.withBytes(slots) { bytes throws(Failure) in try body(.codeTerms, bytes) }
    }

    func fillParts<Failure: Error>(
        _ slots: Int, _ fill: (IndexPart, inout MutableRawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        try codes.withMutableBytes(slots * stride) { bytes throws(Failure) in try fill(.codes, &bytes) }
        try terms.withMutableBytes(slots) { bytes throws(Failure) in try fill(.codeTerms, &bytes) }
    }

    // MARK: - Comparing

    @inline(__always)
    func prefetch(_ slot: Int32) { unsafe memory_prefetch(codes.base + Int(slot) &* stride, stride) }

    @inline(__always)
    func prefetchTerms(_ slot: Int32) { unsafe memory_prefetch(terms.base + Int(slot), 1) }

    func compare(_ a: Int32, _ b: Int32) -> Float {
        let product = unsafe kernels.codeProduct(
            codes.base + Int(a) &* stride, codes.base + Int(b) &* stride, count: stride)
        let (first, second) = unsafe (terms.base[Int(a)], terms.base[Int(b)])
        return lengthWeight * (first.squaredLength + second.squaredLength)
            + factor * first.scale * second.scale * Float(product &- second.offset)
    }

    /// Compares each of the slots with the query. `products` is room to work in.
    @unsafe
    func compare(
        _ query: borrowing Query, _ slots: UnsafePointer<Int32>, count: Int, products: UnsafeMutablePointer<Int32>,
        into compared: UnsafeMutablePointer<Float>
    ) {
        unsafe kernels.codeProducts(
            query.code, UnsafePointer(codes.base), stride: stride, slots, count: count, into: products)
        let (factor, offset, weight) = (self.factor * query.scale, query.offset, lengthWeight)
        let constant = weight * query.squaredLength
        var position = 0
        while position < count {
            let terms = unsafe terms.base[Int(slots[position])]
            // The query's offset belongs to the stored code's 128: sum((c + 128) q) = sum(c q) + 128 sum(q).
            unsafe compared[position] =
                constant + weight * terms.squaredLength + factor * terms.scale * Float(products[position] &- offset)
            position &+= 1
        }
    }

    /// No more than what comparing the query with the vector itself would give, when comparing it with the code gave
    /// `compared`: by the triangle inequality, or |q·x - q'·x'| <= |q||x - x'| + |q - q'||x'| (Cauchy and Schwarz).
    func lowerBound(_ query: borrowing Query, _ slot: Int32, compared: Float) -> Float {
        let terms = unsafe terms.base[Int(slot)]
        // Sums of so many terms in Float are off by some parts in 2^20 of the product of the lengths.
        let rounding = 0x1p-18 * (query.length + query.error)
        switch metric {
        case .euclidean:
            let length = terms.squaredLength.squareRoot()
            let uncertain = 0x1p-18 * (query.squaredLength + terms.squaredLength)
            let distance = max(0, compared - uncertain).squareRoot() - query.error - terms.error
            let nearest = max(0, distance)
            return nearest * nearest - 0x1p-18 * (query.length + length) * (query.length + length)
        case .cosine, .innerProduct:
            let length = terms.squaredLength.squareRoot()
            return compared - query.length * terms.error - query.error * length - rounding * (length + terms.error)
        }
    }
}

/// What belongs to a stored code besides its bytes.
struct CodeTerms: BitwiseCopyable {
    var scale: Float
    /// 128 times the sum of the code.
    var offset: Int32
    /// The squared length of `scale` times the code, and how far that is from the vector.
    var squaredLength: Float
    var error: Float
}
