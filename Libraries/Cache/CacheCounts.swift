internal import Synchronization

/// What one cache counts; its tier counts the rest.
final class CacheCounts: Sendable {
    let contents = Mutex(CacheStatistics())
    private let latencies = Mutex(Latencies())
    private let looks = Atomic<UInt>(0)

    private struct Latencies {
        var local = LatencyRecord()
        var shared = LatencyRecord()
        var loads = LatencyRecord()
    }

    enum Source {
        case local, shared, loads
    }

    /// Whether to time the next look into this process's memory, which costs less than two looks at the clock.
    func isNextTimed() -> Bool { looks.wrappingAdd(1, ordering: .relaxed).oldValue & 63 == 0 }

    func record(_ source: Source, since began: ContinuousClock.Instant) {
        let duration = began.duration(to: .now)
        latencies.withLock { latencies in
            switch source {
            case .local: latencies.local.record(duration)
            case .shared: latencies.shared.record(duration)
            case .loads: latencies.loads.record(duration)
            }
        }
    }

    func statistics(_ local: LocalTier) -> CacheStatistics {
        var statistics = contents.withLock { $0 }
        statistics.evictions = local.evictions
        statistics.localEntries = local.count
        let latencies = latencies.withLock { $0 }
        statistics.local.latency = latencies.local.summary
        statistics.shared.latency = latencies.shared.summary
        statistics.loadLatency = latencies.loads.summary
        return statistics
    }
}
