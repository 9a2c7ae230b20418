internal import Glibc

// Linked statically, Foundation brings this module, which then counts as the one that timespec's members are from.
#if canImport(CoreFoundation)
internal import CoreFoundation
#endif

/// Waits for a signal that is blocked in every thread.
enum SignalWait {
    /// The signal that came, or 0 when the time is over.
    static func next(of signals: inout sigset_t, within seconds: Double) -> Int32 {
        var timeout = timespec(tv_sec: Int(seconds), tv_nsec: Int((seconds - seconds.rounded(.down)) * 1e9))
        return max(0, unsafe sigtimedwait(&signals, nil, &timeout))
    }
}
