/// Which rows wait, and which of them are to be written now. A value without I/O, clock or lock.
///
/// An identity holds for a whole transaction, so rows of different identities are never in one batch.
struct BatchQueue<Record> {
    struct Entry {
        let id: Int
        let record: Record
        /// Of its values, as they are sent.
        let bytes: Int
        let arrival: ContinuousClock.Instant
    }

    struct Batch {
        let identity: Identity
        let entries: [Entry]
    }

    private struct Group {
        var entries: [Entry]
        var bytes: Int
        /// Which line in `order` stands for the group.
        var turn: Int
    }

    private let configuration: BatchConfiguration
    private var groups: [Identity: Group] = [:]
    /// The groups by the arrival of their first entry. Lines whose turn is not the group's any more are passed over.
    private var order: [(identity: Identity, turn: Int)] = []
    private var firstInOrder = 0
    /// Groups that have a whole batch, in the order in which they came to it.
    private var complete: [Identity] = []
    private var turnCount = 0
    private(set) var count = 0
    private(set) var bytes = 0
    private(set) var inFlight = 0
    private(set) var isDraining = false

    init(configuration: BatchConfiguration) {
        self.configuration = configuration
    }

    /// Lines of both lists, those to be passed over included.
    var lineCount: Int { order.count + complete.count }

    /// Nothing waits and nothing is written, and nothing will be.
    var isFinished: Bool { isDraining && count == 0 && inFlight == 0 }

    /// `false` if the queue is full or takes no more.
    mutating func add(_ entry: Entry, of identity: Identity) -> Bool {
        guard !isDraining, count < configuration.maximumQueued else { return false }
        guard count == 0 || bytes + entry.bytes <= configuration.maximumQueuedBytes else { return false }
        count += 1
        bytes += entry.bytes
        let wasComplete = isComplete(identity)
        if groups[identity] == nil { open(identity, [], bytes: 0) }
        groups[identity]?.entries.append(entry)
        groups[identity]?.bytes += entry.bytes
        if !wasComplete, isComplete(identity) { complete.append(identity) }
        return true
    }

    /// Takes an entry back; `false` if it is being written or has been.
    mutating func remove(_ id: Int, of identity: Identity) -> Bool {
        guard let index = groups[identity]?.entries.firstIndex(where: { $0.id == id }) else { return false }
        let size = groups[identity]?.entries.remove(at: index).bytes ?? 0
        groups[identity]?.bytes -= size
        count -= 1
        bytes -= size
        if groups[identity]?.entries.isEmpty == true { groups[identity] = nil }
        return true
    }

    /// The next batch that is complete or old enough, if it may be written now. Answer with `written`.
    mutating func take(at now: ContinuousClock.Instant) -> Batch? {
        guard inFlight < configuration.maximumInFlight, let identity = nextDue(at: now),
              let group = groups.removeValue(forKey: identity)
        else { return nil }
        let (length, size) = firstBatch(of: group)
        let entries = Array(group.entries.prefix(length))
        let rest = Array(group.entries.dropFirst(length))
        if !rest.isEmpty {
            open(identity, rest, bytes: group.bytes - size)
            if isComplete(identity) { complete.append(identity) }
        }
        // One that was taken by its age is complete no more.
        while let first = complete.first, !isComplete(first) { complete.removeFirst() }
        count -= entries.count
        bytes -= size
        inFlight += 1
        return Batch(identity: identity, entries: entries)
    }

    mutating func written() { inFlight -= 1 }

    /// When `take` has to be asked again if nothing else happens before.
    mutating func nextDate() -> ContinuousClock.Instant? {
        guard inFlight < configuration.maximumInFlight, let identity = first(),
              let arrival = groups[identity]?.entries.first?.arrival
        else { return nil }
        return arrival + configuration.maximumAge
    }

    /// Takes no more entries, and gives those that wait without waiting for their age.
    mutating func drain() { isDraining = true }

    // MARK: Parts

    private func isComplete(_ identity: Identity) -> Bool {
        guard let group = groups[identity] else { return false }
        return group.entries.count >= configuration.maximumRows || group.bytes >= configuration.maximumBytes
    }

    /// How many entries of a group are a batch, and their bytes: those up to the one that completes it.
    private func firstBatch(of group: Group) -> (length: Int, bytes: Int) {
        var (length, bytes) = (0, 0)
        for entry in group.entries where length < configuration.maximumRows && bytes < configuration.maximumBytes {
            length += 1
            bytes += entry.bytes
        }
        return (length, bytes)
    }

    private mutating func open(_ identity: Identity, _ entries: [Entry], bytes: Int) {
        // Under load there is always a line that still counts, so those before it go when they are half of all.
        if firstInOrder > 64, firstInOrder * 2 > order.count {
            order.removeFirst(firstInOrder)
            firstInOrder = 0
        }
        turnCount += 1
        groups[identity] = Group(entries: entries, bytes: bytes, turn: turnCount)
        order.append((identity, turnCount))
    }

    private mutating func nextDue(at now: ContinuousClock.Instant) -> Identity? {
        // The oldest first, so that a busy identity does not keep the others waiting.
        if let identity = first(), let arrival = groups[identity]?.entries.first?.arrival,
           isDraining || arrival + configuration.maximumAge <= now {
            return identity
        }
        while let identity = complete.first {
            complete.removeFirst()
            if isComplete(identity) { return identity }
        }
        return nil
    }

    /// The group whose first entry came first.
    private mutating func first() -> Identity? {
        while firstInOrder < order.count {
            let (identity, turn) = order[firstInOrder]
            if groups[identity]?.turn == turn { return identity }
            firstInOrder += 1
        }
        order.removeAll(keepingCapacity: true)
        firstInOrder = 0
        return nil
    }
}
