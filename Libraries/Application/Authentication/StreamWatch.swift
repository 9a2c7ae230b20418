internal import RPC
internal import Time

/// Goes on with a stream for as long as its caller would be let in, which is asked again and again while it lasts.
///
/// An answer that the caller is not let in any more ends the stream with it. Stores that do not answer for a moment end nothing: they are asked
/// again, until `patience` has passed since the caller was last known to be let in; then the stream ends as a call would that begins, with UNAVAILABLE.
/// So no stream outlives by more than `patience` what let it in, whatever is away.
struct StreamWatch: Sendable {
    /// Between two times of asking.
    var pause = Duration.seconds(2)
    /// Behind the last time of asking that was answered well.
    var patience = Duration.seconds(7)

    /// Calls `next`, and cancels it if the caller is not let in any more. Returns or throws when both have ended, the handler and the asking.
    ///
    /// - Parameter admit: throws what a call would end with that began now.
    func go(
        _ context: RPCContext, admit: @escaping @Sendable () async throws(RPCError) -> Void,
        next: @Sendable (RPCContext) async throws -> Void
    ) async throws {
        try await withoutActuallyEscaping(next) { next in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await next(context) }
                group.addTask { try await ask(admit) }
                // The handler's end, or why it may not go on.
                try await group.next()
                group.cancelAll()
            }
        }
    }

    private func ask(_ admit: @Sendable () async throws(RPCError) -> Void) async throws {
        var known = ContinuousClock.now
        while true {
            try await Task.sleep(until: min(ContinuousClock.now + pause, known + patience), clock: .continuous)
            let (asked, end) = (ContinuousClock.now, Deadline.after(patience, from: known))
            do throws(RPCError) {
                try await Deadline.with(.earlier(.current, end), admit)
                known = asked
            } catch {
                // Who cannot be asked now may be in a moment.
                guard error.code == .unavailable, !end.hasPassed else { throw error }
            }
        }
    }
}
