package import CoreMetrics
package import RPC
internal import Synchronization

/// Counts the calls that a channel makes, by method and status, with how long they took as their callers saw it.
package final class ClientMetrics: ClientInterceptor {
    package static let duration = "rpc.client.call.duration"

    private struct Key: Hashable {
        let method: MethodDescriptor
        let code: StatusCode
    }

    private let factory: any MetricsFactory
    private let timers = Mutex<[Key: Timer]>([:])

    package init(factory: any MetricsFactory) {
        self.factory = factory
    }

    package func intercept(
        _ context: ClientCallContext, next: @Sendable (ClientCallContext) async throws -> Void
    ) async throws {
        let began = ContinuousClock.now
        do {
            try await next(context)
            record(context.method, .ok, since: began)
        } catch {
            record(context.method, RPCError(caught: error).code, since: began)
            throw error
        }
    }

    private func record(_ method: MethodDescriptor, _ code: StatusCode, since began: ContinuousClock.Instant) {
        let key = Key(method: method, code: code)
        let timer = timers.withLock { timers in
            if let timer = timers[key] { return timer }
            let timer = Timer(
                label: ClientMetrics.duration,
                dimensions: [(OTelName.methodAttribute, OTelName.method(method)), (OTelName.statusAttribute, code.name)],
                preferredDisplayUnit: .seconds, factory: factory)
            timers[key] = timer
            return timer
        }
        timer.recordNanoseconds(began.duration(to: .now).nanoseconds)
    }
}
