internal import CoreMetrics
internal import RPC
internal import Synchronization

/// Durations in nanoseconds, or values of any other unit, as an HDR histogram.
final class HDRHandler: TimerHandler, RecorderHandler {
    private let tally = SharedTally()
    private let traced = Mutex(Exemplars())

    func record(_ value: Int64) { tally.record(value) }

    func record(_ value: Double) {
        record(Int64(exactly: value.rounded()) ?? (value > 0 ? .max : 0))
    }

    func recordNanoseconds(_ duration: Int64) { record(duration) }

    /// Remembers which trace a duration that was recorded belongs to.
    func mark(nanoseconds: Int64, trace: TraceContext) { traced.withLock { $0.record(nanoseconds, of: trace) } }

    /// `nil` while nothing was recorded.
    var distribution: Distribution? { tally.value.map { Distribution($0) } }

    /// The same with all that was counted.
    var buckets: HistogramBuckets? { tally.value.map { HistogramBuckets($0) } }

    var exemplars: Exemplars { traced.withLock { $0 } }
}

/// A number that only grows.
final class CountHandler: CounterHandler {
    private let count = Atomic<Int64>(0)

    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { count.store(0, ordering: .relaxed) }

    var value: Int64 { count.load(ordering: .relaxed) }
}

/// The last of several values.
final class LastValueHandler: RecorderHandler, MeterHandler {
    private let last = Mutex<Double?>(nil)

    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { last.withLock { $0 = value } }
    func increment(by amount: Double) { last.withLock { $0 = ($0 ?? 0) + amount } }
    func decrement(by amount: Double) { increment(by: -amount) }

    var value: Double? { last.withLock { $0 } }
}
