internal import Glibc

/// The CPU time that the process has used, in all its threads and in the kernel for them.
package enum ProcessTime {
    package static var now: Duration {
        var time = timespec()
        // It fails only for a clock that the system does not have (clock_gettime(2)).
        _ = unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
