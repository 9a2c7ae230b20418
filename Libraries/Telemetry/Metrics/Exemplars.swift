package import RPC
package import Time

/// A value that was counted, and the trace that it belongs to: its id, and nothing else of the call.
package struct Exemplar: Sendable, Equatable {
    /// In nanoseconds.
    package let value: UInt64
    package let recordedAt: Instant
    private let high: UInt64
    private let low: UInt64

    init(value: UInt64, trace: TraceContext) {
        self.value = value
        recordedAt = .now()
        (high, low) = trace.traceBits
    }

    /// 32 lower-case hexadecimal digits.
    package var traceID: String { Hexadecimal.digits(of: high) + Hexadecimal.digits(of: low) }
}

/// Of each bucket that `PrometheusText` writes of a histogram, the newest value whose trace somebody records: where to look when a
/// bucket grows. They take half a kilobyte, and nothing while there is none.
package struct Exemplars: Sendable, Equatable {
    /// By the places of `BucketBound.all`; empty while there is none.
    private var newest: [Exemplar?] = []

    package init() {}

    package mutating func record(_ nanoseconds: Int64, of trace: TraceContext) {
        let (value, bounds) = (UInt64(max(0, nanoseconds)), BucketBound.all)
        if newest.isEmpty { newest = Array(repeating: nil, count: bounds.count) }
        let place = bounds.firstIndex { value <= $0.nanoseconds } ?? bounds.count - 1
        newest[place] = Exemplar(value: value, trace: trace)
    }

    package subscript(place: Int) -> Exemplar? { newest.isEmpty ? nil : newest[place] }
}
