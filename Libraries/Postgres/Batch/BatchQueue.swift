/// Which rows wait, and which of them are to be written now. A value without I/O, clock or lock.
///
/// An identity holds for a whole transaction, so rows of different identities are never in one batch.
struct BatchQueue<Record> {
    struct Entry {
        let id: Int
        let record: Record
        let arrival: ContinuousClock.Instant
    }

    struct Batch {
        let identity: Identity
        let entries: [Entry]
    }

    private struct Group {
        var entries: [Entry]
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
        count += 1
        if groups[identity] == nil { open(identity, []) }
        groups[identity]?.entries.append(entry)
        if groups[identity]?.entries.count == configuration.maximumRows { complete.append(identity) }
        return true
    }

    /// Takes an entry back; `false` if it is being written or has been.
    mutating func remove(_ id: Int, of identity: Identity) -> Bool {
        guard let index = groups[identity]?.entries.firstIndex(where: { $0.id == id }) else { return false }
        groups[identity]?.entries.remove(at: index)
        count -= 1
        if groups[identity]?.entries.isEmpty == true { groups[identity] = nil }
        return true
    }

    /// The next batch that is complete or old enough, if it may be written now. Answer with `written`.
    mutating func take(at now: ContinuousClock.Instant) -> Batch? {
        guard inFlight < configuration.maximumInFlight, let identity = nextDue(at: now),
              let group = groups.removeValue(forKey: identity)
        else { return nil }
        let entries = Array(group.entries.prefix(configuration.maximumRows))
        let rest = Array(group.entries.dropFirst(configuration.maximumRows))
        if !rest.isEmpty {
            open(identity, rest)
            if rest.count >= configuration.maximumRows { complete.append(identity) }
        }
        // One that was taken by its age is complete no more.
        while let first = complete.first, (groups[first]?.entries.count ?? 0) < configuration.maximumRows { complete.removeFirst() }
        count -= entries.count
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

    private mutating func open(_ identity: Identity, _ entries: [Entry]) {
        // Under load there is always a line that still counts, so those before it go when they are half of all.
        if firstInOrder > 64, firstInOrder * 2 > order.count {
            order.removeFirst(firstInOrder)
            firstInOrder = 0
        }
        turnCount += 1
        groups[identity] = Group(entries: entries, turn: turnCount)
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
            if (groups[identity]?.entries.count ?? 0) >= configuration.maximumRows { return identity }
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
