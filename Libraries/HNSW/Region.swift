internal import CDistance
internal import Glibc

/// A run of plain values in pages of its own, which starts with zero bits and grows without being copied.
///
/// Growing may move it, by changing the page tables alone (mremap(2)): whoever grows it locks out those who read. Places
/// that nobody has touched take no memory, so there may be many more than are used. It does not check positions: the
/// types that hold one do, in the file that computes them. Writing needs no `mutating`, because who may write is decided
/// by the index's lock and not by a borrow.
@safe
struct Region<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    private(set) var base: UnsafeMutablePointer<Element>
    /// Elements that there is room for.
    private(set) var count = 0
    private var byteCount = 0
    private let file: MappedFile?

    /// - Parameter file: where the values are kept instead of in memory; it is this region's alone.
    init(in file: MappedFile? = nil) {
        // Nothing is read or written through it while there is room for nothing.
        unsafe base = UnsafeMutablePointer(bitPattern: MemoryLayout<Element>.alignment)!
        self.file = file
    }

    deinit {
        if byteCount > 0 { unsafe _ = munmap(base, byteCount) }
    }

    mutating func grow(to newCount: Int) {
        guard newCount > count else { return }
        let wanted = pages(newCount * MemoryLayout<Element>.stride)
        if wanted > byteCount {
            file?.resize(to: wanted)
            let start = unsafe byteCount == 0 ? mapped(wanted) : moved(to: wanted)
            unsafe base = start.bindMemory(to: Element.self, capacity: newCount)
            byteCount = wanted
            // A walk jumps about in what may be hundreds of megabytes: with pages of 2 MB it need not wait for page tables too.
            // It is advice, which a kernel may not know.
            if file == nil, wanted >= hugePage { unsafe _ = madvise(base, byteCount, MADV_HUGEPAGE) }
        }
        count = newCount
    }

    /// Gives the memory behind the first `newCount` elements back to the system; they hold zero bits when it grows again.
    mutating func shrink(to newCount: Int) {
        let wanted = pages(newCount * MemoryLayout<Element>.stride)
        guard newCount < count, wanted < byteCount else { return }
        unsafe Region.check(munmap(UnsafeMutableRawPointer(base) + wanted, byteCount - wanted) == 0)
        file?.resize(to: wanted)
        byteCount = wanted
        count = min(count, newCount)
    }

    /// Lends the first elements as bytes; whoever reads them keeps writers out.
    func withBytes<Failure: Error>(_ count: Int, _ body: (RawSpan) throws(Failure) -> Void) throws(Failure) {
        precondition(count <= self.count)
        try body(unsafe RawSpan(_unsafeStart: base, byteCount: count * MemoryLayout<Element>.stride))
    }

    /// Lends the first elements to be filled.
    func withMutableBytes<Failure: Error>(
        _ count: Int, _ body: (inout MutableRawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(count <= self.count)
        var bytes = unsafe MutableRawSpan(_unsafeStart: base, byteCount: count * MemoryLayout<Element>.stride)
        try body(&bytes)
    }

    private let hugePage = 2 << 20

    private func pages(_ bytes: Int) -> Int {
        // Runs of more than a few huge pages consist of them.
        let page = bytes >= 2 * hugePage && file == nil ? hugePage : 4096
        return (bytes + page - 1) / page * page
    }

    private func mapped(_ bytes: Int) -> UnsafeMutableRawPointer {
        guard let file else { return unsafe reserved(bytes, PROT_READ | PROT_WRITE) }
        return unsafe checked(mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor, 0))
    }

    private func moved(to bytes: Int) -> UnsafeMutableRawPointer {
        // Huge pages can be moved as such to a place that is aligned to them.
        let place = bytes >= hugePage && file == nil ? unsafe reserved(bytes, PROT_NONE) : nil
        guard let start = unsafe memory_move(base, byteCount, bytes, place) else { Region.failed() }
        return unsafe start
    }

    /// Anonymous memory that starts on a huge page if it is that long.
    private func reserved(_ bytes: Int, _ protection: Int32) -> UnsafeMutableRawPointer {
        let slack = bytes >= hugePage ? hugePage : 0
        let start = unsafe checked(mmap(nil, bytes + slack, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))
        guard slack > 0 else { return unsafe start }
        let skipped = (hugePage - Int(bitPattern: start) % hugePage) % hugePage
        if skipped > 0 { unsafe Region.check(munmap(start, skipped) == 0) }
        if skipped < slack { unsafe Region.check(munmap(start + skipped + bytes, slack - skipped) == 0) }
        return unsafe start + skipped
    }

    private func checked(_ start: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer {
        guard let start = unsafe start, unsafe start != MAP_FAILED else { Region.failed() }
        return unsafe start
    }

    private static func check(_ isDone: Bool) {
        if !isDone { failed() }
    }

    /// As for every allocation in Swift, there is no going on without memory.
    private static func failed() -> Never { preconditionFailure("No memory for the index: errno \(errno).") }
}
