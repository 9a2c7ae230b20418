internal import CoreMetrics
internal import RPC
internal import Synchronization

/// The calls of one method, by status.
final class MethodMeter: CallMeter {
    /// In seconds where it is published; histograms hold nanoseconds.
    static let duration = "rpc.server.call.duration"
    /// Bytes as they travelled, framing included.
    static let requestSize = "rpc.server.request.size"
    static let responseSize = "rpc.server.response.size"

    /// What is recorded of calls that end with one status; made when the first does.
    private final class StatusMeter: Sendable {
        let duration: any TimerHandler
        /// Where the backend is ours, which keeps exemplars.
        let traced: HDRHandler?
        let requestSize: Recorder
        let responseSize: Recorder

        init(method: String, code: StatusCode, factory: any MetricsFactory) {
            let dimensions = [(OTelName.methodAttribute, method), (OTelName.statusAttribute, code.name)]
            duration = factory.makeTimer(label: MethodMeter.duration, dimensions: dimensions)
            duration.preferDisplayUnit(.seconds)
            traced = duration as? HDRHandler
            requestSize = Recorder(label: MethodMeter.requestSize, dimensions: dimensions, aggregate: true, factory: factory)
            responseSize = Recorder(
                label: MethodMeter.responseSize, dimensions: dimensions, aggregate: true, factory: factory)
        }
    }

    private final class Slot: Sendable {
        let meter = AtomicLazyReference<StatusMeter>()
    }

    private let method: String
    private let factory: any MetricsFactory
    private let slots: [Slot]

    init(method: String, factory: any MetricsFactory) {
        self.method = method
        self.factory = factory
        slots = StatusCode.allCases.map { _ in Slot() }
    }

    func ended(_ call: borrowing CallRecord) {
        let code = call.code
        let slot = slots[code.rawValue]
        let meter =
            slot.meter.load()
            ?? slot.meter.storeIfNil(StatusMeter(method: method, code: code, factory: factory))
        let nanoseconds = call.duration.nanoseconds
        meter.duration.recordNanoseconds(nanoseconds)
        if let traced = meter.traced, let trace = call.trace, trace.isSampled { traced.mark(nanoseconds: nanoseconds, trace: trace) }
        meter.requestSize.record(call.requestBytes)
        meter.responseSize.record(call.responseBytes)
    }
}

extension Duration {
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
    }
}
