/// Finds out how many bytes a connection holds on its way (its bandwidth times its round trip), so that windows can be
/// wide enough for it and not much wider. It knows neither clocks nor sockets.
///
/// Once enough bytes have come, a ping is sent, and what arrives until it comes back is a sample: the bytes of one round
/// trip. A sender that is held back by its window sends at least half of it in that time, since nghttp2 gives room back by
/// half windows; so a sample of two fifths of the window doubles the window. Where the way is what holds the sender back,
/// that ends between two and a half and five times what the way carries in a round trip. The idea of measuring by pings is
/// that of gRPC's other libraries; here a connection with little to say is never measured, so its calls pay nothing.
struct BandwidthEstimator {
    /// The window that the estimate asks for now.
    private(set) var window: Int
    private let limit: Int
    private var waiting = 0
    private var sample = 0
    private var isMeasuring = false

    /// Bytes that must have come before a round trip is measured.
    static let bytesPerMeasure = 32 << 10

    init(window: Int, limit: Int) {
        self.window = window
        self.limit = max(window, limit)
    }

    /// Bytes of bodies have arrived. Whether to send a ping, and tell `pingReturned` when it comes back.
    mutating func received(_ count: Int) -> Bool {
        if isMeasuring {
            sample += count
            return false
        }
        waiting += count
        guard waiting >= BandwidthEstimator.bytesPerMeasure, window < limit else { return false }
        waiting = 0
        sample = count
        isMeasuring = true
        return true
    }

    /// The ping has come back. The window to have from now on, when it is another.
    mutating func pingReturned() -> Int? {
        guard isMeasuring else { return nil }
        isMeasuring = false
        guard sample >= window / 5 * 2 else { return nil }
        window = min(limit, max(window, sample) * 2)
        return window
    }
}
