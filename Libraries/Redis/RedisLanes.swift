internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The connections of a client, and which of them a command takes.
///
/// The address is one; a cluster's would be found here, by the slot of the command's key.
final class RedisLanes: Sendable {
    let all: [RedisLane]
    private let ofLoop: [ObjectIdentifier: RedisLane]
    private let turn = Atomic<Int>(0)

    init(_ configuration: RedisConfiguration, logger: Logger) {
        let loops = Array(MultiThreadedEventLoopGroup.singleton.makeIterator())
        let count = configuration.connections ?? loops.count
        precondition(count > 0, "a Redis client needs a connection")
        // The next loop begins, so that clients with fewer connections than loops do not all share the first.
        let first = MultiThreadedEventLoopGroup.singleton.next()
        let start = loops.firstIndex { $0 === first } ?? 0
        all = (0..<count).map { number in
            RedisLane(configuration, on: loops[(start + number) % loops.count], logger: logger)
        }
        ofLoop = Dictionary(all.map { (ObjectIdentifier($0.eventLoop), $0) }) { first, _ in first }
    }

    /// That of the event loop on which we are; otherwise they take turns. One that has no connection is passed over for one that has.
    var next: RedisLane {
        let preferred = ofCurrentLoop ?? all[nextTurn]
        return preferred.isReady ? preferred : all.first(where: \.isReady) ?? preferred
    }

    private var ofCurrentLoop: RedisLane? {
        MultiThreadedEventLoopGroup.currentEventLoop.flatMap { ofLoop[ObjectIdentifier($0)] }
    }

    private var nextTurn: Int {
        guard all.count > 1 else { return 0 }
        return Int(UInt(bitPattern: turn.wrappingAdd(1, ordering: .relaxed).newValue) % UInt(all.count))
    }
}
