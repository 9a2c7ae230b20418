internal import Glibc
internal import Synchronization

/// A tally in which many threads record often and which somebody reads seldom. There is one, however many threads there are: each leaves its values
/// in a place of its own, nearly always, so that its lock is free, and a place that is full is emptied into the tally.
final class SharedTally: Sendable {
    /// Values that are not in the tally yet.
    struct Waiting: Sendable {
        // First, so that what is written each time is on one cache line with the lock and the first values.
        private var count = 0
        private var values = InlineArray<32, Int64>(repeating: 0)

        var isFull: Bool { count == values.count }

        /// There must be room.
        mutating func append(_ value: Int64) {
            values[count] = value
            count += 1
        }

        mutating func move(into tally: inout Tally?) {
            guard count > 0 else { return }
            if tally == nil { tally = Tally() }
            for place in 0..<count { tally?.record(values[place]) }
            count = 0
        }
    }

    private final class Place: Sendable {
        let waiting = Mutex(Waiting())
    }

    /// As many as the machine has cores, up to 16, rounded up to a power of two.
    private let places = (0..<PlaceNumber.count).map { _ in Place() }
    private let tally = Mutex<Tally?>(nil)

    func record(_ value: Int64) {
        places[PlaceNumber.current].waiting.withLock { waiting in
            waiting.append(value)
            if waiting.isFull { empty(&waiting) }
        }
    }

    /// All that was recorded before; `nil` if nothing was.
    var value: Tally? {
        for place in places { place.waiting.withLock { empty(&$0) } }
        return tally.withLock { $0 }
    }

    /// With the place's lock in hand, so that no value is seen in neither.
    private func empty(_ waiting: inout Waiting) {
        tally.withLock { waiting.move(into: &$0) }
    }
}

private enum PlaceNumber {
    static let count: Int = {
        var count = 1
        while count < min(16, sysconf(Int32(_SC_NPROCESSORS_ONLN))) { count *= 2 }
        return count
    }()

    /// Threads' own addresses differ by the size of their stacks, so their middle bits tell them apart.
    static var current: Int {
        Int(truncatingIfNeeded: (UInt64(pthread_self()) &* 0x9E37_79B9_7F4A_7C15) >> 48) & (count - 1)
    }
}
