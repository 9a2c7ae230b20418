internal import Contracts
internal import RPC
internal import Telemetry

/// Tells what the program's own calls were like.
struct TelemetryService: TelemetryV1.TelemetryServiceProtocol {
    let metrics: HDRMetrics

    func listMethodMetrics(
        _ request: TelemetryV1.ListMethodMetricsRequest, context: RPCContext
    ) async throws -> TelemetryV1.ListMethodMetricsResponse {
        let methods = RPCMetrics.snapshot(of: metrics).map { method in
            TelemetryV1.MethodMetrics(
                method: method.method, status: method.status, durations: .init(method.durations),
                requests: method.requests.map { .init($0) }, responses: method.responses.map { .init($0) })
        }
        return TelemetryV1.ListMethodMetricsResponse(methods: methods)
    }
}

extension TelemetryV1.Distribution {
    fileprivate init(_ distribution: Telemetry.Distribution) {
        self.init(
            count: distribution.count, sum: distribution.sum, p50: distribution.p50, p95: distribution.p95,
            p99: distribution.p99, max: distribution.max)
    }
}
