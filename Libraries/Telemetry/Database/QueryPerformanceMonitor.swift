package import Postgres
internal import RPC
internal import Synchronization

/// What is known of the runs of one statement.
package struct StatementPerformance: Sendable, Equatable {
    package let fingerprint: StatementFingerprint
    /// The text with its placeholders, at most `QueryPerformanceMonitor.shownCharacters` of it.
    package let statement: String
    package let failures: UInt64
    /// In nanoseconds.
    package let durations: HistogramBuckets
    package let exemplars: Exemplars
}

/// How long each statement takes, in HDR histograms that may be added up over replicas.
///
/// A statement that ran in one round trip with others took as long as the round trip. A run costs a look-up and a count under
/// a lock. Statements are bounded in number; those that come after count as one, `_OTHER`.
package final class QueryPerformanceMonitor: PostgresObserver {
    package static let shownCharacters = 500
    package static let other = "_OTHER"

    private struct Entry {
        var tally = Tally()
        var failures: UInt64 = 0
        var exemplars = Exemplars()
    }

    private let capacity: Int
    private let entries = Mutex<[String: Entry]>([:])

    package init(capacity: Int = 512) {
        self.capacity = capacity
    }

    package func ended(_ roundTrip: RoundTrip) {
        // What waited for a connection in vain took the server no time, and would pass for a fast statement.
        guard roundTrip.hadConnection else { return }
        let nanoseconds = roundTrip.waitedForServer.nanoseconds
        let hasFailed = roundTrip.failure != nil
        let trace = TraceContext.current.flatMap { $0.isSampled ? $0 : nil }
        entries.withLock { entries in
            for statement in roundTrip.statements {
                let isKnown = entries[statement] != nil || entries.count < capacity
                let key = isKnown ? statement : QueryPerformanceMonitor.other
                entries[key, default: Entry()].tally.record(nanoseconds)
                if let trace { entries[key, default: Entry()].exemplars.record(nanoseconds, of: trace) }
                if hasFailed { entries[key, default: Entry()].failures += 1 }
            }
        }
    }

    /// The statement that took most time in all comes first.
    package func snapshot() -> [StatementPerformance] {
        entries.withLock { $0 }
            .map { statement, entry in
                StatementPerformance(
                    fingerprint: StatementFingerprint(statement),
                    statement: String(statement.prefix(QueryPerformanceMonitor.shownCharacters)),
                    failures: entry.failures, durations: HistogramBuckets(entry.tally), exemplars: entry.exemplars)
            }
            .sorted { ($1.durations.sum, $0.statement) < ($0.durations.sum, $1.statement) }
    }
}
