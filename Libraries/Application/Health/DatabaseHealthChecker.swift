package import Redis
internal import Synchronization
package import Time

/// Whether a store answers, as it was last asked.
package struct StoreHealth: Sendable, Equatable {
    /// `postgres`, `postgres_replicas`, `redis_durable` or `redis_cache`.
    package let store: String
    /// Why it is of no use, in a sentence; `nil` when it is.
    package let problem: String?
    package let latency: Duration
    package let askedAt: Instant
    /// Since when it has been as it is.
    package let since: Instant
}

/// Asks every store again and again whether it answers, and keeps what was said.
///
/// Who serves by it: `ReadinessMonitor` asks Postgres through `observing`, so nothing is asked twice; the two Redis roles and
/// the replicas are asked by `run`. Losing one of those takes nobody down.
package final class DatabaseHealthChecker: Sendable {
    package static let durableRedis = "redis_durable"
    package static let cacheRedis = "redis_cache"

    private let checks: [ReadinessCheck]
    private let interval: Duration
    private let known = Mutex<[String: StoreHealth]>([:])

    package init(checks: [ReadinessCheck], interval: Duration = .milliseconds(500)) {
        self.checks = checks
        self.interval = interval
    }

    /// A Redis role that answers PING.
    package static func redis(_ redis: Redis, _ name: String) -> ReadinessCheck {
        ReadinessCheck(name) {
            await Deadline.with(.after(.milliseconds(600))) {
                do throws(RedisError) {
                    try await redis.ping()
                    return nil
                } catch {
                    return "Redis does not answer: \(error.message)"
                }
            }
        }
    }

    /// The same check, whose answers are kept here as well.
    package func observing(_ check: ReadinessCheck) -> ReadinessCheck {
        ReadinessCheck(check.name) { await self.ask(check) }
    }

    /// Asks until it is cancelled, and tells `changed` after each round.
    package func run(changed: @Sendable () -> Void = {}) async {
        while !Task.isCancelled {
            await withDiscardingTaskGroup { group in
                for check in checks { group.addTask { _ = await self.ask(check) } }
            }
            changed()
            do { try await Task.sleep(for: interval) } catch { return }
        }
    }

    /// Every store that has been asked, by name.
    package var reports: [StoreHealth] {
        known.withLock { $0.values.sorted { $0.store < $1.store } }
    }

    private func ask(_ check: ReadinessCheck) async -> String? {
        let began = ContinuousClock.now
        let problem = await check.problem()
        let latency = began.duration(to: .now)
        let now = Instant.now()
        known.withLock { known in
            let before = known[check.name]
            let isAsBefore = before.map { ($0.problem == nil) == (problem == nil) } ?? false
            known[check.name] = StoreHealth(
                store: check.name, problem: problem, latency: latency, askedAt: now,
                since: isAsBefore ? before?.since ?? now : now)
        }
        return problem
    }
}
