/// The vectors of an index, one after another, each in the slot that the graph knows it by.
///
/// A slot is padded with zeros to a multiple of the kernels' width, so the kernels have no tail to handle.
@safe
struct VectorStore: ~Copyable, @unchecked Sendable {
    let dimension: Int
    let metric: Metric
    /// Floats from one slot to the next.
    let stride: Int
    /// Slots that there is room for.
    let capacity: Int

    private let floats: AlignedBuffer<Float>

    init(dimension: Int, metric: Metric, capacity: Int) {
        let stride = VectorStore.padded(dimension)
        self.init(
            dimension: dimension, metric: metric, stride: stride, capacity: capacity,
            floats: AlignedBuffer(count: capacity * stride, filledWith: 0))
    }

    private init(
        dimension: Int, metric: Metric, stride: Int, capacity: Int, floats: consuming AlignedBuffer<Float>
    ) {
        self.dimension = dimension
        self.metric = metric
        self.stride = stride
        self.capacity = capacity
        self.floats = floats
    }

    static func padded(_ dimension: Int) -> Int {
        (dimension + DistanceKernels.width - 1) / DistanceKernels.width * DistanceKernels.width
    }

    func enlarged(to newCapacity: Int) -> VectorStore {
        VectorStore(
            dimension: dimension, metric: metric, stride: stride, capacity: newCapacity,
            floats: floats.enlarged(to: newCapacity * stride, filledWith: 0))
    }

    /// Fills a slot that no search can see yet.
    func write(_ vector: PreparedVector, to slot: Int32) {
        precondition(vector.components.count == dimension && slot >= 0 && Int(slot) < capacity)
        let target = unsafe pointer(to: slot)
        unsafe vector.components.withUnsafeBufferPointer { source in
            guard let first = source.baseAddress else { return }
            unsafe target.update(from: first, count: dimension)
        }
    }

    /// Overwrites a slot that no search can see any more.
    func erase(_ slot: Int32) {
        precondition(slot >= 0 && Int(slot) < capacity)
        unsafe pointer(to: slot).update(repeating: 0, count: stride)
    }

    /// Copies a vector over another.
    func move(_ source: Int32, to target: Int32) {
        precondition(source >= 0 && target >= 0 && max(Int(source), Int(target)) < capacity)
        unsafe pointer(to: target).update(from: pointer(to: source), count: stride)
    }

    func read(_ slot: Int32) -> [Float] {
        precondition(slot >= 0 && Int(slot) < capacity)
        return unsafe Array(UnsafeBufferPointer(start: pointer(to: slot), count: dimension))
    }

    /// What the graph compares: the negative product, or the squared distance. Never NaN, for vectors and queries that
    /// came through `PreparedVector`.
    @inline(__always)
    func compare(_ query: borrowing Query, _ slot: Int32) -> Float {
        unsafe compare(query.pointer, pointer(to: slot))
    }

    @inline(__always)
    func compare(_ a: Int32, _ b: Int32) -> Float {
        unsafe compare(pointer(to: a), pointer(to: b))
    }

    @inline(__always)
    @unsafe
    private func compare(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Float {
        switch metric {
        case .cosine, .innerProduct: unsafe -DistanceKernels.product(a, b, count: stride)
        case .euclidean: unsafe DistanceKernels.squaredDistance(a, b, count: stride)
        }
    }

    @inline(__always)
    @unsafe
    private func pointer(to slot: Int32) -> UnsafeMutablePointer<Float> {
        unsafe floats.base + Int(slot) &* stride
    }
}

/// A vector that is being searched for, padded like those in the store.
@safe
struct Query: ~Copyable {
    private let floats: AlignedBuffer<Float>

    init(_ vector: PreparedVector) {
        floats = AlignedBuffer(count: VectorStore.padded(vector.components.count), filledWith: 0)
        unsafe vector.components.withUnsafeBufferPointer { source in
            guard let first = source.baseAddress else { return }
            unsafe floats.base.update(from: first, count: source.count)
        }
    }

    @unsafe
    var pointer: UnsafePointer<Float> {
        @inline(__always) get { unsafe UnsafePointer(floats.base) }
    }
}
