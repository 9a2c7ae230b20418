internal import Synchronization

/// Counts the commands of one lane that have no reply yet, so that a server that is slow or silent fills no memory.
final class OutstandingCommands: Sendable {
    private let commandCount = Atomic<Int>(0)
    private let byteCount = Atomic<Int>(0)
    private let maxCommands: Int
    private let maxBytes: Int

    init(maxCommands: Int, maxBytes: Int) {
        self.maxCommands = maxCommands
        self.maxBytes = maxBytes
    }

    var commands: Int { commandCount.load(ordering: .relaxed) }

    /// Whether there was room for the request, which then is counted.
    func add(_ request: RedisRequest) -> Bool {
        let commands = commandCount.wrappingAdd(request.commandCount, ordering: .relaxed).newValue
        let bytes = byteCount.wrappingAdd(request.byteCount, ordering: .relaxed).newValue
        if commands <= maxCommands, bytes <= maxBytes { return true }
        remove(request)
        return false
    }

    /// Counts a request no longer, which was answered, lost or never sent.
    func remove(_ request: RedisRequest) {
        commandCount.wrappingSubtract(request.commandCount, ordering: .relaxed)
        byteCount.wrappingSubtract(request.byteCount, ordering: .relaxed)
    }
}
