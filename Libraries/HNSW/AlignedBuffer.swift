/// Owns a run of plain values that starts on a cache line and never moves.
///
/// It does not check positions: the types that hold one do, in the file that computes them. Writing needs no
/// `mutating`, because who may write is decided by the index's lock and not by a borrow.
@safe
struct AlignedBuffer<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    let base: UnsafeMutablePointer<Element>
    let count: Int

    init(count: Int, filledWith value: Element) {
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, count) * MemoryLayout<Element>.stride, alignment: 64)
        unsafe base = bytes.bindMemory(to: Element.self, capacity: max(1, count))
        unsafe base.initialize(repeating: value, count: count)
        self.count = count
    }

    deinit { unsafe base.deallocate() }

    /// A longer copy; the original stays readable, so that searches can go on until the two are exchanged.
    func enlarged(to newCount: Int, filledWith value: Element) -> AlignedBuffer<Element> {
        precondition(newCount >= count)
        let larger = AlignedBuffer(count: newCount, filledWith: value)
        unsafe larger.base.update(from: base, count: count)
        return larger
    }
}
