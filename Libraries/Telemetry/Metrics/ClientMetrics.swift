package import CoreMetrics
package import RPC
internal import Synchronization

/// Counts the calls that a channel makes, by method and status, with how long they took as their callers saw it and how large
/// their messages were as they travelled.
package final class ClientMetrics: ClientInterceptor {
    package static let duration = "rpc.client.call.duration"
    package static let requestSize = "rpc.client.request.size"
    package static let responseSize = "rpc.client.response.size"

    private struct Key: Hashable {
        let method: MethodDescriptor
        let code: StatusCode
    }

    /// What is recorded of calls of one method that end with one status.
    private final class Meter: Sendable {
        let duration: Timer
        let requestSize: Recorder
        let responseSize: Recorder

        init(_ key: Key, factory: any MetricsFactory) {
            let dimensions = [(OTelName.methodAttribute, OTelName.method(key.method)), (OTelName.statusAttribute, key.code.name)]
            duration = Timer(
                label: ClientMetrics.duration, dimensions: dimensions, preferredDisplayUnit: .seconds, factory: factory)
            requestSize = Recorder(label: ClientMetrics.requestSize, dimensions: dimensions, aggregate: true, factory: factory)
            responseSize = Recorder(label: ClientMetrics.responseSize, dimensions: dimensions, aggregate: true, factory: factory)
        }
    }

    private let factory: any MetricsFactory
    private let meters = Mutex<[Key: Meter]>([:])

    package init(factory: any MetricsFactory) {
        self.factory = factory
    }

    package func intercept(
        _ context: ClientCallContext, next: @Sendable (ClientCallContext) async throws -> Void
    ) async throws {
        let began = ContinuousClock.now
        do {
            try await next(context)
            record(context, .ok, since: began)
        } catch {
            record(context, RPCError(caught: error).code, since: began)
            throw error
        }
    }

    private func record(_ context: ClientCallContext, _ code: StatusCode, since began: ContinuousClock.Instant) {
        let key = Key(method: context.method, code: code)
        let meter = meters.withLock { meters in
            if let meter = meters[key] { return meter }
            let meter = Meter(key, factory: factory)
            meters[key] = meter
            return meter
        }
        meter.duration.recordNanoseconds(began.duration(to: .now).nanoseconds)
        guard let bytes = context.messageBytes else { return }
        meter.requestSize.record(bytes.request)
        meter.responseSize.record(bytes.response)
    }
}
