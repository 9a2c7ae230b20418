internal import HTTP2
internal import NIOCore

/// Widens the windows of a connection to what its way holds: the shell around `BandwidthEstimator`.
///
/// It belongs to an event loop, and costs a piece of a body two additions and a comparison.
struct WindowTuning {
    private var estimator: BandwidthEstimator

    init(streamWindowBytes: Int, limit: Int) {
        estimator = BandwidthEstimator(window: streamWindowBytes, limit: limit)
    }

    /// Bytes of a body have arrived.
    mutating func received(_ count: Int, on http: HTTP2Connection) throws(HTTP2Error) {
        guard estimator.received(count) else { return }
        try http.change { session throws(HTTP2Error) in try session.ping(ConnectionPing.bandwidth) }
    }

    /// A ping has come back; only those that measure are looked at.
    mutating func pingAcknowledged(_ payload: UInt64, on http: HTTP2Connection) throws(HTTP2Error) {
        guard payload == ConnectionPing.bandwidth, let window = estimator.pingReturned() else { return }
        try http.change { session throws(HTTP2Error) in
            try session.widenWindows(stream: Int32(clamping: window), connection: WindowTuning.connectionWindow(window))
        }
    }

    /// A connection's window for streams of this window. Its room is given back as bytes arrive, so it bounds what is on
    /// its way and not what waits to be read.
    static func connectionWindow(_ streamWindow: Int) -> Int32 {
        Int32(clamping: min(max(streamWindow * 16, 1 << 20), max(streamWindow, 64 << 20)))
    }
}

extension NIODeadline {
    /// The time since the clock's beginning, as a duration.
    var sinceStart: Duration { .nanoseconds(Int64(clamping: uptimeNanoseconds)) }
}
