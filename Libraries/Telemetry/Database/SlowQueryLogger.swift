package import Logging
package import Postgres
package import RPC
internal import Synchronization
package import Time

/// A round trip that was slow.
package struct SlowQuery: Sendable, Equatable {
    /// A part of the time that a query takes.
    package enum Stage: String, Sendable, CaseIterable {
        /// Waiting until the pool lent a connection.
        case pool
        /// From sending until the server's last answer.
        case server
    }

    package let endedAt: Instant
    package let waitedForConnection: Duration
    package let waitedForServer: Duration
    package let fingerprints: [StatementFingerprint]
    /// The call that it was made for; `nil` for the program's own.
    package let rpc: MethodDescriptor?
    package let traceID: String?

    package var duration: Duration { waitedForConnection + waitedForServer }

    /// What took most of the time.
    package var stage: Stage { waitedForConnection > waitedForServer ? .pool : .server }
}

/// Writes a line for each round trip that is slow, with its statements' fingerprints, the call and the trace that it belongs to and the
/// stage that took the time. Statements and values are in no line.
///
/// When the database is slow every query is, so lines are bounded; what was left out is counted. The newest are kept to be read.
package final class SlowQueryLogger: PostgresObserver {
    package static let threshold = Duration.milliseconds(100)
    package static let kept = 100
    private static let linesPerSecond = 10

    fileprivate struct State {
        var newest: [SlowQuery] = []
        var counts: [SlowQuery.Stage: UInt64] = [:]
        var secondBegan: ContinuousClock.Instant?
        var linesInSecond = 0
        var leftOut = 0
    }

    private let logger: Logger
    private let threshold: Duration
    private let state = Mutex(State())

    package init(logger: Logger, threshold: Duration = SlowQueryLogger.threshold) {
        self.logger = logger
        self.threshold = threshold
    }

    package func ended(_ roundTrip: RoundTrip) {
        guard roundTrip.waitedForConnection + roundTrip.waitedForServer >= threshold else { return }
        let query = SlowQuery(
            endedAt: .now(), waitedForConnection: roundTrip.waitedForConnection, waitedForServer: roundTrip.waitedForServer,
            fingerprints: roundTrip.statements.map { StatementFingerprint($0) }, rpc: MethodDescriptor.current,
            traceID: TraceContext.current?.traceID)
        guard let leftOut = state.withLock({ $0.add(query, limit: Self.linesPerSecond, at: .now) }) else { return }
        var metadata: Logger.Metadata = [
            "fingerprints": .array(query.fingerprints.map { "\($0)" }), "stage": "\(query.stage.rawValue)",
            "duration_ms": "\(query.duration.nanoseconds / 1_000_000)",
            "pool_ms": "\(query.waitedForConnection.nanoseconds / 1_000_000)",
        ]
        if let rpc = query.rpc { metadata["rpc"] = "\(OTelName.method(rpc))" }
        if let traceID = query.traceID { metadata["trace_id"] = "\(traceID)" }
        if leftOut > 0 { metadata["left_out"] = "\(leftOut)" }
        logger.warning("slow query", metadata: metadata)
    }

    /// The newest first.
    package var newest: [SlowQuery] { state.withLock { $0.newest.reversed() } }

    /// How many there were since the program started.
    package func count(_ stage: SlowQuery.Stage) -> UInt64 { state.withLock { $0.counts[stage] ?? 0 } }
}

extension SlowQueryLogger.State {
    /// How many lines were left out before this one's; `nil` if this one's is to be left out as well.
    fileprivate mutating func add(_ query: SlowQuery, limit: Int, at now: ContinuousClock.Instant) -> Int? {
        if newest.count == SlowQueryLogger.kept { newest.removeFirst() }
        newest.append(query)
        counts[query.stage, default: 0] += 1
        if secondBegan.map({ $0.duration(to: now) >= .seconds(1) }) ?? true {
            secondBegan = now
            linesInSecond = 0
        }
        guard linesInSecond < limit else {
            leftOut += 1
            return nil
        }
        linesInSecond += 1
        defer { leftOut = 0 }
        return leftOut
    }
}
