internal import NIOCore
internal import Time

/// Calls that wait for a connection, in the order in which they came, each until its deadline.
final class WaitingCalls: @unchecked Sendable {
    // Everything mutable is touched on the event loop alone.
    private var calls: [ClientCall] = []
    private let limit: Int
    private let timer: DeadlineTimer

    init(limit: Int, eventLoop: any EventLoop) {
        self.limit = limit
        timer = DeadlineTimer(eventLoop: eventLoop)
    }

    var isEmpty: Bool { calls.isEmpty }

    /// Keeps a call, or ends it when too many wait already.
    func append(_ call: ClientCall) {
        // Those that were cancelled are there until something happens to the connection.
        if calls.count >= limit { dropEnded() }
        guard calls.count < limit else {
            call.end(.failure(RPCError(.resourceExhausted, "Too many calls wait for a connection.")), reset: false)
            return
        }
        calls.append(call)
        if let deadline = call.context.deadline { timer.watch(deadline) { self.endLate() } }
    }

    /// Every call that still waits; none does afterwards.
    func takeAll() -> [ClientCall] {
        timer.stop()
        defer { calls = [] }
        return calls.filter { !$0.isEnded }
    }

    /// Lets go of calls that their callers have given up.
    func dropEnded() {
        calls.removeAll { $0.isEnded }
    }

    /// Ends the calls whose callers do not want to wait while there is no server.
    func failImpatient(_ error: RPCError) {
        let failing = calls.filter { !$0.isEnded && !$0.context.waitForReady }
        calls.removeAll { $0.isEnded || !$0.context.waitForReady }
        for call in failing { call.end(.failure(error), reset: false) }
    }

    private func endLate() -> Deadline? {
        let late = calls.filter { !$0.isEnded && $0.context.deadline?.hasPassed == true }
        for call in late { call.end(.failure(.deadlinePassedUnsent), reset: false) }
        dropEnded()
        return calls.reduce(nil) { Deadline.earlier($0, $1.context.deadline) }
    }
}
