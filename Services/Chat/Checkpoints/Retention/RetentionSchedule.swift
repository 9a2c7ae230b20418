internal import FoundationEssentials
internal import Logging
internal import Postgres
internal import Time

/// Deletes by age what agents keep: first a thread's history, later the thread.
///
/// Every replica has one of these; whoever has the lock works, and the others pass the turn over.
struct RetentionSchedule: Sendable {
    struct Settings: Sendable, Equatable {
        /// Of a thread that nobody has used for so long the newest checkpoints stay, with what they need; zero: all of them.
        var historyLife: Duration = .seconds(30 * 86_400)
        /// A thread that nobody has used for so long goes; zero: it stays.
        var threadLife: Duration = .zero
    }

    let store: CheckpointStore
    let settings: Settings
    var interval: Duration = .seconds(300)
    /// How many threads one turn deals with.
    var batch = 200
    let logger: Logger

    /// Works once an interval until the task is cancelled; at once again while there is more to do.
    func run() async {
        guard settings.historyLife > .zero || settings.threadLife > .zero else { return }
        while !Task.isCancelled {
            do {
                let done = try await turn()
                if done.pruned + done.deleted > 0 {
                    logger.info(
                        "what agents keep was deleted by age", metadata: ["pruned": "\(done.pruned)", "deleted": "\(done.deleted)"])
                }
                // Those that fail come first again.
                if done.pruned + done.deleted >= batch, done.failed == 0 { continue }
            } catch {
                // The readiness check says more of a database that is down or whose schema is behind.
                if !Task.isCancelled { logger.warning("what agents keep could not be deleted by age", metadata: ["reason": "\(error)"]) }
            }
            do { try await Task.sleep(for: interval) } catch { return }
        }
    }

    /// What one turn has done: threads whose history went, and threads that went.
    struct Done: Hashable, Sendable {
        var pruned = 0
        var deleted = 0
        var failed = 0
    }

    /// Nothing is done while another replica has its turn.
    func turn() async throws -> Done {
        try await store.postgres.transaction(tier: .batch, mode: .readOnly) { transaction in
            guard try await transaction.first(.beginRetention)?.value == true else { return Done() }
            var done = Done()
            if settings.threadLife > .zero {
                let old = try await transaction.rows(.threads(unusedFor: settings.threadLife, unprunedOnly: false, limit: batch))
                done.deleted = try await prune(old, .delete, settings.threadLife, &done)
            }
            if settings.historyLife > .zero {
                let old = try await transaction.rows(.threads(unusedFor: settings.historyLife, unprunedOnly: true, limit: batch))
                done.pruned = try await prune(old, .keepLatest, settings.historyLife, &done)
            }
            return done
        }
    }

    /// One thread after the other, each in a transaction of its own; one that fails keeps no other from its turn.
    private func prune(
        _ threads: [UnusedThread], _ strategy: PruneStrategy, _ age: Duration, _ done: inout Done
    ) async throws -> Int {
        var count = 0
        for old in threads {
            do {
                _ = try await store.prune(ThreadName(kept: old.thread), strategy, unusedFor: age, of: old.user)
                count += 1
            } catch where !Task.isCancelled {
                done.failed += 1
                logger.error("a thread could not be pruned by age", metadata: ["reason": "\(error)"])
            }
        }
        return count
    }
}
