package import CoreMetrics
internal import Synchronization

/// A backend of swift-metrics that keeps everything in this process: counters, last values, and HDR histograms for all
/// that is timed or recorded. Whoever publishes metrics reads `snapshot`.
///
/// The number of series is bounded: what comes after the last is recorded nowhere, and `dropped` counts it.
package final class HDRMetrics: MetricsFactory {
    /// One series and what it holds.
    package struct Series: Sendable, Equatable {
        package enum Value: Sendable, Equatable {
            case count(Int64)
            case last(Double)
            /// Nanoseconds.
            case durations(Distribution)
            case values(Distribution)
        }

        package let label: String
        package let dimensions: [String: String]
        package let value: Value
    }

    /// A series of durations with all that was counted in it.
    package struct Timed: Sendable {
        package let dimensions: [String: String]
        /// Nanoseconds.
        package let durations: HistogramBuckets
        package let exemplars: Exemplars
    }

    private struct Key: Hashable {
        let label: String
        let dimensions: [String: String]
    }

    private enum Handler {
        case count(CountHandler)
        case last(LastValueHandler)
        case durations(HDRHandler)
        case values(HDRHandler)
    }

    private struct State {
        var handlers: [Key: Handler] = [:]
        var dropped = 0
    }

    private let maxSeries: Int
    private let state = Mutex(State())

    package init(maxSeries: Int = 4_096) {
        self.maxSeries = maxSeries
    }

    /// Every series in which something was recorded, in the order of label and dimensions.
    package func snapshot() -> [Series] {
        let handlers = state.withLock { $0.handlers }
        var series: [Series] = []
        for (key, handler) in handlers {
            let value: Series.Value? =
                switch handler {
                case .count(let handler): .count(handler.value)
                case .last(let handler): handler.value.map { .last($0) }
                case .durations(let handler): handler.distribution.map { .durations($0) }
                case .values(let handler): handler.distribution.map { .values($0) }
                }
            if let value { series.append(Series(label: key.label, dimensions: key.dimensions, value: value)) }
        }
        return series.sorted { ($0.label, $0.dimensions.order) < ($1.label, $1.dimensions.order) }
    }

    /// What was timed under one label, whole, in the order of dimensions.
    package func timed(_ label: String) -> [Timed] {
        let handlers = state.withLock { $0.handlers }
        var timed: [Timed] = []
        for (key, handler) in handlers where key.label == label {
            guard case .durations(let handler) = handler else { continue }
            // The other way about, one might be of a value that is not counted yet.
            let exemplars = handler.exemplars
            guard let durations = handler.buckets else { continue }
            timed.append(Timed(dimensions: key.dimensions, durations: durations, exemplars: exemplars))
        }
        return timed.sorted { $0.dimensions.order < $1.dimensions.order }
    }

    /// Series that were asked for and not made, for there were too many.
    package var dropped: Int { state.withLock { $0.dropped } }

    /// The handler of a series, made when it is asked for first. Two programs that use one name for different kinds of
    /// things have the second recorded nowhere.
    private func handler<Made>(
        _ label: String, _ dimensions: [(String, String)], _ make: () -> Made, wrap: (Made) -> Handler,
        unwrap: (Handler) -> Made?
    ) -> Made {
        let key = Key(label: label, dimensions: Dictionary(dimensions) { _, last in last })
        return state.withLock { state in
            if let known = state.handlers[key], let made = unwrap(known) { return made }
            let made = make()
            guard state.handlers[key] == nil, state.handlers.count < maxSeries else {
                state.dropped += 1
                return made
            }
            state.handlers[key] = wrap(made)
            return made
        }
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        handler(label, dimensions) { CountHandler() } wrap: { .count($0) } unwrap: { handler in
            if case .count(let made) = handler { made } else { nil }
        }
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else { return lastValue(label, dimensions) }
        return handler(label, dimensions) { HDRHandler() } wrap: { .values($0) } unwrap: { handler in
            if case .values(let made) = handler { made } else { nil }
        }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        lastValue(label, dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        handler(label, dimensions) { HDRHandler() } wrap: { .durations($0) } unwrap: { handler in
            if case .durations(let made) = handler { made } else { nil }
        }
    }

    private func lastValue(_ label: String, _ dimensions: [(String, String)]) -> LastValueHandler {
        handler(label, dimensions) { LastValueHandler() } wrap: { .last($0) } unwrap: { handler in
            if case .last(let made) = handler { made } else { nil }
        }
    }

    // What was recorded stays to be read: a series' end is not the end of its sums.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}

extension [String: String] {
    fileprivate var order: String {
        sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
}
