internal import Synchronization
package import Telemetry

/// Metrics that a program has beyond those that every program has.
package final class PublishedMetrics: Sendable {
    package typealias Writer = @Sendable (inout PrometheusText) -> Void

    private let writers = Mutex<[Writer]>([])

    package init() {}

    package func add(_ writer: @escaping Writer) { writers.withLock { $0.append(writer) } }

    func write(to text: inout PrometheusText) {
        for writer in writers.withLock({ $0 }) { writer(&text) }
    }
}
