internal import NIOCore

/// The order in which a connection owes replies: Redis answers in the order of the commands, and says no more than
/// that about which reply belongs to what.
///
/// A value without a clock or a socket. It settles requests; the connection around it reads, writes and arms timers.
struct ReplyQueue {
    private struct Entry {
        let write: RedisWrite
        var replies: [RESPValue] = []
    }

    private var entries = CircularBuffer<Entry>()
    /// When the connection last showed that it lives, or began to owe a reply.
    private var lastProgress = NIODeadline.uptimeNanoseconds(0)
    private let stallTimeout: TimeAmount

    /// - Parameter stallTimeout: how long a connection that owes replies may be silent.
    init(stallTimeout: TimeAmount) { self.stallTimeout = stallTimeout }

    var isEmpty: Bool { entries.isEmpty }

    /// Whether somebody still waits. Costs a look at every entry.
    var isAwaited: Bool { entries.contains { !$0.write.isSettled } }

    mutating func sent(_ write: RedisWrite, at now: NIODeadline) {
        if entries.isEmpty { lastProgress = now }
        entries.append(Entry(write: write))
    }

    /// Takes the next reply. Returns what it completes, settled; nil while replies of a batch are missing.
    /// Throws if nothing was asked.
    mutating func received(_ reply: RESPValue, at now: NIODeadline) throws(RESPReader.Violation) -> RedisWrite? {
        guard !entries.isEmpty else { throw RESPReader.Violation(description: "a reply came that nobody asked for") }
        lastProgress = now
        let index = entries.startIndex
        entries[index].replies.append(reply)
        guard entries[index].write.settle(entries[index].replies) else { return nil }
        return entries.removeFirst().write
    }

    /// Settles what has waited long enough. `true` if the connection itself has been silent for too long.
    mutating func expire(at now: NIODeadline) -> Bool {
        for entry in entries { entry.write.expire(at: now) }
        return !entries.isEmpty && stallsAt <= now
    }

    /// When the connection counts as dead unless a reply comes.
    var stallsAt: NIODeadline { lastProgress + stallTimeout }

    /// When `expire` has something to do next; nil if nothing is owed. Costs a look at every entry.
    var nextExpiry: NIODeadline? {
        entries.isEmpty ? nil : entries.lazy.compactMap(\.write.nextDeadline).reduce(stallsAt, min)
    }

    /// Takes everything out: the connection is gone.
    mutating func removeAll() -> [RedisWrite] {
        defer { entries.removeAll() }
        return entries.map(\.write)
    }
}
