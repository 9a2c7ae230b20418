package import CoreMetrics
package import RPC

/// Counts the calls of a server by method and status, with how long they took and how large they were, through
/// swift-metrics and under OpenTelemetry's names.
///
/// A call costs one look at an atomic and three records. The methods are those of the contract and the statuses seventeen,
/// so the number of series is bounded; requests that reach no method count under `_OTHER`.
package struct RPCMetrics: RPCObserver {
    private let factory: any MetricsFactory

    package init(factory: any MetricsFactory) {
        self.factory = factory
    }

    package func meter(of method: MethodDescriptor?) -> any CallMeter {
        MethodMeter(method: OTelName.method(method), factory: factory)
    }
}

extension RPCMetrics {
    /// How long the calls of each method took, out of everything that a backend holds: whole histograms, which add up over replicas.
    package static func write(_ metrics: HDRMetrics, to text: inout PrometheusText) {
        let name = "heartguard_rpc_call_duration_seconds"
        text.family(name, .histogram, help: "How long calls took, by method and status.")
        for series in metrics.timed(MethodMeter.duration) {
            guard let method = series.dimensions[OTelName.methodAttribute], let status = series.dimensions[OTelName.statusAttribute] else { continue }
            text.histogram(name, [("method", method), ("status", status)], series.durations, series.exemplars)
        }
    }
}
