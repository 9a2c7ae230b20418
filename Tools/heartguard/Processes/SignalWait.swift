internal import Glibc
internal import Time

/// Waits for a signal that is blocked in every thread.
enum SignalWait {
    /// The signal that came, or 0 when the time is over.
    static func next(of signals: inout sigset_t, within seconds: Double) -> Int32 {
        var timeout = Duration.seconds(seconds).posixTime
        return max(0, unsafe sigtimedwait(&signals, nil, &timeout))
    }
}
