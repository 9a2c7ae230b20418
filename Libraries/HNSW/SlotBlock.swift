/// Slots that are compared with a query together, so that their vectors are fetched from memory together.
@safe
struct SlotBlock: ~Copyable {
    /// A power of two that is more than most nodes have neighbours; what does not fit is compared in a second block.
    static let capacity = 64

    private let slots = AlignedBuffer<Int32>(count: SlotBlock.capacity, filledWith: 0)
    private let products = AlignedBuffer<Int32>(count: SlotBlock.capacity, filledWith: 0)
    private let compared = AlignedBuffer<Float>(count: SlotBlock.capacity, filledWith: 0)
    private(set) var count = 0

    var isFull: Bool { count == SlotBlock.capacity }

    /// There must be room.
    @inline(__always)
    mutating func append(_ slot: Int32) {
        assert(!isFull)
        unsafe slots.base[count] = slot
        count &+= 1
    }

    @inline(__always)
    func estimate(_ query: borrowing Query, in vectors: borrowing VectorStore) {
        unsafe vectors.estimate(
            query, slots.base, count: count, products: products.base, into: compared.base)
    }

    /// `position` must be in `0..<count`; what was compared is defined after `estimate`.
    @inline(__always)
    subscript(position: Int) -> Candidate {
        assert(position >= 0 && position < count)
        return unsafe Candidate(compared: compared.base[position], slot: slots.base[position])
    }

    mutating func removeAll() { count = 0 }
}
