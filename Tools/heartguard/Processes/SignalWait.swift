internal import Glibc

/// Waits for a signal that is blocked in every thread.
enum SignalWait {
    /// The signal that came, or 0 when the time is over.
    static func next(of signals: inout sigset_t, within seconds: Double) -> Int32 {
        var timeout = timespec(tv_sec: Int(seconds), tv_nsec: Int((seconds - seconds.rounded(.down)) * 1e9))
        return max(0, unsafe sigtimedwait(&signals, nil, &timeout))
    }
}
