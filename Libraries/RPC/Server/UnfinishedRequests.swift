internal import Synchronization

/// How many bytes of requests that have not come whole a server may still keep, those of all its connections together.
final class UnfinishedBudget: Sendable {
    private let left: Atomic<Int>

    init(bytes: Int) {
        left = Atomic(bytes)
    }

    /// Takes so many bytes, or none where fewer are left.
    func take(_ count: Int) -> Bool {
        if left.wrappingSubtract(count, ordering: .relaxed).newValue >= 0 { return true }
        giveBack(count)
        return false
    }

    func giveBack(_ count: Int) {
        left.wrappingAdd(count, ordering: .relaxed)
    }
}

/// The bytes that one connection keeps of requests that have not come whole, within its own bound and its server's.
///
/// The first of them are the connection's own, and beyond those it takes from the server's in steps: small requests touch
/// nothing that connections share.
struct UnfinishedRequests {
    static let ownBytes = 64 << 10
    static let stepBytes = 64 << 10

    private let budget: UnfinishedBudget
    private let limit: Int
    private(set) var byteCount = 0
    /// What is taken of the server's.
    private var taken = 0

    init(limit: Int, of budget: UnfinishedBudget) {
        self.limit = limit
        self.budget = budget
    }

    /// Keeps `new` bytes of a request where it kept `old`. Fewer always can be kept; for more there may be no room, and then
    /// nothing has changed.
    mutating func change(from old: Int, to new: Int) -> Bool {
        let count = byteCount - old + new
        if new > old, count > limit { return false }
        let needed = UnfinishedRequests.beyondOwn(count)
        if needed > taken, !budget.take(needed - taken) { return false }
        if needed < taken { budget.giveBack(taken - needed) }
        taken = needed
        byteCount = count
        return true
    }

    private static func beyondOwn(_ count: Int) -> Int {
        count <= ownBytes ? 0 : (count - ownBytes + stepBytes - 1) / stepBytes * stepBytes
    }
}

extension RPCError {
    static let noRoomForRequest = RPCError(
        .resourceExhausted, "The server holds as much of requests that have not come whole as it may.")
}
