internal import CDistance

/// The vectors of an index, each in the slot that the graph knows it by: as they are, and as the codes that a walk compares.
///
/// A slot is padded with zeros to a multiple of the kernels' width, so the kernels have no tail to handle.
@safe
struct VectorStore: ~Copyable, @unchecked Sendable {
    let dimension: Int
    let metric: Metric
    /// Components from one slot to the next.
    let stride: Int
    /// Slots that there is room for.
    private(set) var capacity = 0

    private let kernels = DistanceKernels.best
    private let isCompact: Bool
    /// One of the two is used.
    private var floats: Region<Float>
    private var halves: Region<UInt16>
    /// Whether `estimate` compares codes, and not the vectors.
    let hasCodes: Bool
    private(set) var codes: CodeStore

    /// - Parameter file: where the vectors are kept, not the codes.
    init(dimension: Int, metric: Metric, representation: Representation = .float32, file: MappedFile? = nil) {
        self.dimension = dimension
        self.metric = metric
        hasCodes = representation != .float32
        stride = DistanceKernels.paddedVector(dimension)
        isCompact = representation == .int8OverBFloat16
        floats = Region(in: isCompact ? nil : file)
        halves = Region(in: isCompact ? file : nil)
        codes = CodeStore(dimension: dimension, metric: metric)
    }

    /// May move all vectors: nobody reads meanwhile.
    mutating func grow(to newCapacity: Int) {
        if isCompact { halves.grow(to: newCapacity * stride) } else { floats.grow(to: newCapacity * stride) }
        if hasCodes { codes.grow(to: newCapacity) }
        capacity = max(capacity, newCapacity)
    }

    /// Gives back what is behind the first `newCapacity` slots, which are free.
    mutating func shrink(to newCapacity: Int) {
        if isCompact { halves.shrink(to: newCapacity * stride) } else { floats.shrink(to: newCapacity * stride) }
        codes.shrink(to: newCapacity)
        capacity = min(capacity, newCapacity)
    }

    /// Fills a slot that no search can see yet.
    func write(_ vector: PreparedVector, to slot: Int32) {
        precondition(vector.components.count == dimension && slot >= 0 && Int(slot) < capacity)
        unsafe vector.components.withUnsafeBufferPointer { source in
            guard let first = source.baseAddress else { return }
            if isCompact {
                let target = unsafe halves.base + Int(slot) * stride
                // `PreparedVector` has rounded it, so the lower halves are empty.
                for position in 0..<dimension { unsafe target[position] = UInt16(first[position].bitPattern >> 16) }
            } else {
                unsafe (floats.base + Int(slot) * stride).update(from: first, count: dimension)
            }
            if hasCodes { unsafe codes.write(first, count: dimension, to: slot) }
        }
    }

    /// Overwrites a slot that no search can see any more.
    func erase(_ slot: Int32) {
        precondition(slot >= 0 && Int(slot) < capacity)
        if isCompact {
            unsafe (halves.base + Int(slot) * stride).update(repeating: 0, count: stride)
        } else {
            unsafe (floats.base + Int(slot) * stride).update(repeating: 0, count: stride)
        }
        if hasCodes { codes.erase(slot) }
    }

    /// Copies a vector over another.
    func move(_ source: Int32, to target: Int32) {
        precondition(source >= 0 && target >= 0 && max(Int(source), Int(target)) < capacity)
        if isCompact {
            unsafe (halves.base + Int(target) * stride).update(from: halves.base + Int(source) * stride, count: stride)
        } else {
            unsafe (floats.base + Int(target) * stride).update(from: floats.base + Int(source) * stride, count: stride)
        }
        if hasCodes { codes.move(source, to: target) }
    }

    func read(_ slot: Int32) -> [Float] {
        precondition(slot >= 0 && Int(slot) < capacity)
        let start = Int(slot) * stride
        return (0..<dimension).map { position in
            unsafe isCompact
                ? Float(bitPattern: UInt32(halves.base[start + position]) << 16) : floats.base[start + position]
        }
    }

    // MARK: - Keeping

    /// What a slot takes.
    var bytesPerSlot: Int { stride * (isCompact ? 2 : 4) + (hasCodes ? codes.bytesPerSlot : 0) }

    /// How long the parts of so many slots are.
    func partBytes(_ slots: Int) -> [(part: IndexPart, count: Int)] {
        let vectors = (part: IndexPart.vectors, count: slots * stride * (isCompact ? 2 : 4))
        return hasCodes ? [vectors] + codes.partBytes(slots) : [vectors]
    }

    /// Whether everything in these slots is a finite number. Of floats without signs the larger has the larger bits, and what is infinite or no number has
    /// the largest.
    func holdsNumbers(_ slots: Int) -> Bool {
        var largest: UInt32 = 0
        if isCompact {
            for place in 0..<slots * stride { largest = unsafe max(largest, UInt32(halves.base[place]) << 16 & 0x7fff_ffff) }
        } else {
            for place in 0..<slots * stride { largest = unsafe max(largest, floats.base[place].bitPattern & 0x7fff_ffff) }
        }
        return largest < Float.infinity.bitPattern && (!hasCodes || codes.holdsNumbers(slots))
    }

    func forEachPart<Failure: Error>(
        _ slots: Int, _ body: (IndexPart, RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        if isCompact {
            try halves.withBytes(slots * stride) { bytes throws(Failure) in try body(.vectors, bytes) }
        } else {
            try floats.withBytes(slots * stride) { bytes throws(Failure) in try body(.vectors, bytes) }
        }
        if hasCodes { try codes.forEachPart(slots, body) }
    }

    func fillParts<Failure: Error>(
        _ slots: Int, _ fill: (IndexPart, inout MutableRawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        if isCompact {
            try halves.withMutableBytes(slots * stride) { bytes throws(Failure) in try fill(.vectors, &bytes) }
        } else {
            try floats.withMutableBytes(slots * stride) { bytes throws(Failure) in try fill(.vectors, &bytes) }
        }
        if hasCodes { try codes.fillParts(slots, fill) }
    }

    // MARK: - Comparing

    // What is compared is the negative product, or the squared distance. Never NaN, for vectors and queries that were
    // checked as `PreparedVector` does.

    /// By the vectors as they were stored.
    @inline(__always)
    func compare(_ query: borrowing Query, _ slot: Int32) -> Float {
        let start = Int(slot) &* stride
        if isCompact {
            return unsafe metric == .euclidean
                ? kernels.squaredDistance(query.pointer, UnsafePointer(halves.base + start), count: stride)
                : -kernels.product(query.pointer, UnsafePointer(halves.base + start), count: stride)
        }
        return unsafe metric == .euclidean
            ? kernels.squaredDistance(query.pointer, UnsafePointer(floats.base + start), count: stride)
            : -kernels.product(query.pointer, UnsafePointer(floats.base + start), count: stride)
    }

    /// By the codes, if there are any.
    @inline(__always)
    func estimate(_ a: Int32, _ b: Int32) -> Float {
        if hasCodes { return codes.compare(a, b) }
        let (first, second) = (Int(a) &* stride, Int(b) &* stride)
        return unsafe metric == .euclidean
            ? kernels.squaredDistance(floats.base + first, floats.base + second, count: stride)
            : -kernels.product(floats.base + first, floats.base + second, count: stride)
    }

    /// Each of the slots, by the codes if there are any.
    @unsafe
    @inline(__always)
    func estimate(
        _ query: borrowing Query, _ slots: UnsafePointer<Int32>, count: Int, products: UnsafeMutablePointer<Int32>,
        into compared: UnsafeMutablePointer<Float>
    ) {
        if hasCodes {
            unsafe codes.compare(query, slots, count: count, products: products, into: compared)
        } else {
            for position in 0..<count { unsafe compared[position] = compare(query, slots[position]) }
        }
    }

    /// Fetches what `estimate` reads of a slot, which is the `position`th of a block: the codes of those behind the first few
    /// are fetched while these are compared.
    @inline(__always)
    func prefetchEstimate(_ slot: Int32, at position: Int) {
        if hasCodes { codes.prefetchTerms(slot) }
        guard position < 4 else { return }
        if hasCodes { codes.prefetch(slot) } else { prefetch(slot) }
    }

    @inline(__always)
    func prefetch(_ slot: Int32) {
        if isCompact {
            unsafe memory_prefetch(halves.base + Int(slot) &* stride, stride &* 2)
        } else {
            unsafe memory_prefetch(floats.base + Int(slot) &* stride, stride &* 4)
        }
    }
}
