internal import Glibc

/// Memory for the C form of one message. It is handed out piece by piece and given back all at once.
///
/// Small pieces come from blocks, the first of which is on the stack; large ones, among them protobuf-c's scratch lists,
/// are their own and can be given back early. A budget bounds what is out at one time, so that a few hostile bytes
/// cannot ask for much memory.
@safe
package struct Arena: ~Copyable {
    /// Where the next small piece begins, and where the block ends.
    private var next: UnsafeMutableRawPointer
    private var end: UnsafeMutableRawPointer
    /// Blocks and large pieces, newest first.
    private var newest: UnsafeMutablePointer<Owned>?
    private var remaining: Int

    /// What stands before a block or a large piece. Its stride is 32, which keeps what follows at a multiple of 16.
    @unsafe
    private struct Owned {
        var newer: UnsafeMutablePointer<Owned>?
        var older: UnsafeMutablePointer<Owned>?
        var byteCount: Int
        var padding: Int
    }

    private static let blockByteCount = 16 * 1024
    private static let largeByteCount = 1024

    /// - Parameters:
    ///   - place: The first block. It has to outlive the arena.
    ///   - budget: The most bytes that may be out at one time.
    init(_ place: UnsafeMutableRawBufferPointer, budget: Int) {
        // Small pieces start 8 bytes behind a multiple of 16 and large ones at one: that tells them apart.
        let base = place.baseAddress!
        unsafe next = base.alignedUp(toMultipleOf: 16) + 8
        unsafe end = base + place.count
        unsafe newest = nil
        remaining = budget
    }

    deinit {
        var owned = unsafe newest
        while let current = unsafe owned {
            unsafe owned = current.pointee.older
            unsafe free(current)
        }
    }

    /// Aligned to 8 bytes. `nil` when the budget is used up.
    mutating func allocateWithinBudget(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        guard byteCount >= 0, byteCount <= remaining else { return nil }
        if byteCount >= Self.largeByteCount {
            remaining -= byteCount
            return unsafe own(byteCount).map { unsafe UnsafeMutableRawPointer($0 + 1) }
        }
        let rounded = (byteCount + 15) & ~15
        if unsafe end - next < rounded {
            guard let block = unsafe own(Self.blockByteCount) else { return nil }
            unsafe next = UnsafeMutableRawPointer(block + 1) + 8
            unsafe end = UnsafeMutableRawPointer(block + 1) + Self.blockByteCount
        }
        remaining -= byteCount
        let piece = unsafe next
        unsafe next += rounded
        return unsafe piece
    }

    /// Gives a large piece back. A small one stays until the end.
    mutating func release(_ piece: UnsafeMutableRawPointer) {
        guard UInt(bitPattern: piece) & 15 == 0 else { return }
        let owned = unsafe piece.assumingMemoryBound(to: Owned.self) - 1
        if let newer = unsafe owned.pointee.newer {
            unsafe newer.pointee.older = owned.pointee.older
        } else {
            unsafe newest = owned.pointee.older
        }
        unsafe owned.pointee.older?.pointee.newer = owned.pointee.newer
        unsafe remaining += owned.pointee.byteCount
        unsafe free(owned)
    }

    /// Memory for what we write ourselves, whose size we know. Ends the process when the machine has none, as every
    /// allocation of Swift's does.
    package mutating func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        guard let place = unsafe allocateWithinBudget(byteCount) else {
            fatalError("no memory for \(byteCount) bytes of a message")
        }
        return unsafe place
    }

    package mutating func allocate<T>(_ type: T.Type) -> UnsafeMutablePointer<T> {
        unsafe allocate(byteCount: MemoryLayout<T>.stride).assumingMemoryBound(to: T.self)
    }

    package mutating func allocate<T>(_ type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
        unsafe allocate(byteCount: MemoryLayout<T>.stride * count).assumingMemoryBound(to: T.self)
    }

    private mutating func own(_ byteCount: Int) -> UnsafeMutablePointer<Owned>? {
        let byteCountWithHeader = unsafe MemoryLayout<Owned>.stride + byteCount
        guard let memory = unsafe malloc(byteCountWithHeader) else { return nil }
        let owned = unsafe memory.assumingMemoryBound(to: Owned.self)
        unsafe owned.initialize(to: Owned(newer: nil, older: newest, byteCount: byteCount, padding: 0))
        unsafe newest?.pointee.newer = owned
        unsafe newest = owned
        return unsafe owned
    }
}
