internal import Synchronization

/// Counts the commands of one lane that have no reply yet, so that a server that is slow or silent fills no memory.
final class OutstandingCommands: Sendable {
    private struct Counts {
        var commands = 0
        var bytes = 0
    }

    private let counts = Mutex(Counts())
    private let maxCommands: Int
    private let maxBytes: Int

    init(maxCommands: Int, maxBytes: Int) {
        self.maxCommands = maxCommands
        self.maxBytes = maxBytes
    }

    var commands: Int { counts.withLock { $0.commands } }

    /// Whether there was room for the request, which then is counted.
    func add(_ request: RedisRequest) -> Bool {
        counts.withLock { counts in
            guard counts.commands + request.commands.count <= maxCommands, counts.bytes + request.byteCount <= maxBytes
            else { return false }
            counts.commands += request.commands.count
            counts.bytes += request.byteCount
            return true
        }
    }

    /// Counts a request no longer, which was answered, lost or never sent.
    func remove(_ request: RedisRequest) {
        counts.withLock { counts in
            counts.commands -= request.commands.count
            counts.bytes -= request.byteCount
        }
    }
}
