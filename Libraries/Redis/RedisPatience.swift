internal import Synchronization
internal import Time

/// How a Redis is asked that the caller can do without: for no longer than is bearable, and after several failures in a row once a
/// second, until it answers again.
package final class RedisPatience: Sendable {
    private let limit: Duration
    private let pause = Mutex(FailurePause())

    /// - Parameter limit: how long an answer may take; then Redis counts as failed.
    package init(_ limit: Duration) { self.limit = limit }

    /// What Redis answers; `nil` if it is not asked now.
    ///
    /// - Parameter always: also asks a server that has just failed.
    package func ask<Reply>(
        always: Bool = false, _ question: () async throws(RedisError) -> Reply
    ) async throws(RedisError) -> Reply? {
        guard always || pause.withLock({ $0.mayAsk(at: .now) }) else { return nil }
        do throws(RedisError) {
            let reply = try await Deadline.with(.earlier(.current, .after(limit)), question)
            pause.withLock { $0.succeeded() }
            return reply
        } catch {
            // A caller that has given up says nothing about the server.
            let hasGivenUp = Task.isCancelled || Deadline.current?.hasPassed ?? false
            if !hasGivenUp { pause.withLock { $0.failed(at: .now) } }
            throw error
        }
    }
}
