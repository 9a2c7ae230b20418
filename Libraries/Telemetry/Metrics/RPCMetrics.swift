package import CoreMetrics
package import RPC

/// Counts the calls of a server by method and status, with how long they took and how large they were, through
/// swift-metrics and under OpenTelemetry's names.
///
/// A call costs one look at an atomic and three records. The methods are those of the contract and the statuses seventeen,
/// so the number of series is bounded; requests that reach no method count under `_OTHER`.
package struct RPCMetrics: RPCObserver {
    /// In seconds where it is published; histograms hold nanoseconds.
    package static let duration = "rpc.server.call.duration"
    /// Bytes as they travelled, framing included.
    package static let requestSize = "rpc.server.request.size"
    package static let responseSize = "rpc.server.response.size"
    package static let method = "rpc.method"
    package static let statusCode = "rpc.response.status_code"

    private let factory: any MetricsFactory

    package init(factory: any MetricsFactory) {
        self.factory = factory
    }

    package func meter(of method: MethodDescriptor?) -> any CallMeter {
        MethodMeter(method: OTelName.method(method), factory: factory)
    }
}

/// The names that OpenTelemetry's semantic conventions give to what is known of a call.
enum OTelName {
    /// `heartguard.users.v1.UsersService/GetProfile`, or what stands for methods that nobody knows.
    static func method(_ method: MethodDescriptor?) -> String {
        method.map { "\($0.service)/\($0.name)" } ?? "_OTHER"
    }
}
