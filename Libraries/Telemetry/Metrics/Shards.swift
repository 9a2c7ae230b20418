internal import Glibc
internal import Synchronization

/// A state that many threads change often and somebody reads seldom: each thread changes a part of its own, nearly
/// always, so that its lock is free; a reader takes the parts one after the other.
final class Shards<State: Sendable>: Sendable {
    private final class Shard: Sendable {
        let state: Mutex<State>

        init(_ state: sending State) { self.state = Mutex(state) }
    }

    private let shards: [Shard]

    /// As many parts as the machine has cores, up to 16, rounded up to a power of two.
    init(_ make: () -> State) {
        shards = (0..<ShardNumber.count).map { _ in Shard(make()) }
    }

    /// Changes the part of this thread.
    func change(_ body: (inout State) -> Void) {
        shards[ShardNumber.current].state.withLock { body(&$0) }
    }

    /// Looks at every part. What is changed meanwhile shows in some and not in others.
    func forEach(_ body: (State) -> Void) {
        for shard in shards { body(shard.state.withLock { $0 }) }
    }
}

enum ShardNumber {
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
