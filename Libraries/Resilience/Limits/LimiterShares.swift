package import Redis
internal import Synchronization
internal import Time

/// This replica's part in all limits: whether Redis is there to count for all replicas, and if it is not, how many replicas
/// share each limit.
///
/// `run` keeps the replica among those that share, and finds out when Redis is back.
package final class LimiterShares: Sendable {
    struct View: Sendable {
        let standing: StoreCondition.Standing
        let outages: Int
        /// When Redis was lost last, in microseconds of `now`.
        let lost: Int64
        let replicas: Int
    }

    private struct State {
        var condition = StoreCondition()
        var lost: Int64 = 0
        var replicas: Int
    }

    package let configuration: ShareConfiguration
    private let redis: Redis
    private let members: String
    private let replica: String
    private let began = ContinuousClock.now
    private let state: Mutex<State>

    /// - Parameters:
    ///   - redis: a client of the cache role, the one that the limiters count in.
    ///   - group: the replicas that share their limits are those of one name.
    package init(redis: Redis, group: String, configuration: ShareConfiguration = .init()) {
        self.redis = redis
        self.configuration = configuration
        members = "limit:members:\(group)"
        replica = String(UInt64.random(in: .min ... .max), radix: 36)
        state = Mutex(State(replicas: configuration.assumedReplicas))
    }

    /// Microseconds since this was made.
    var now: Int64 { began.duration(to: .now).wholeMicroseconds }

    var view: View {
        state.withLock { state in
            View(
                standing: state.condition.standing, outages: state.condition.outages, lost: state.lost,
                replicas: state.replicas)
        }
    }

    /// Whether Redis counts for all replicas now.
    package var isCountedTogether: Bool { view.standing == .up }

    /// How many replicas share the limits, as last heard.
    package var replicas: Int { view.replicas }

    func callFailed() {
        let now = now
        state.withLock { if $0.condition.callFailed() { $0.lost = now } }
    }

    /// Says that this replica lives, and asks for Redis while it is away, until the task is cancelled; then leaves the others
    /// its part.
    package func run() async {
        var nextBeat = ContinuousClock.now
        while !Task.isCancelled {
            if ContinuousClock.now >= nextBeat || !isCountedTogether {
                await probe()
                nextBeat = .now + configuration.heartbeat
            }
            // Cancellation ends the wait; the loop's condition ends the loop.
            try? await Task.sleep(for: configuration.probeInterval)
        }
        // A cancelled task sends nothing. Who cannot be told finds out by itself.
        let (redis, members, replica) = (redis, members, replica)
        await Task { _ = try? await Deadline.with(.after(.milliseconds(200))) { try await redis.send(["ZREM", members, replica]) } }
            .value
    }

    private func probe() async {
        let asked = ContinuousClock.now
        var probe = StoreCondition.Probe.failed
        var replicas: Int?
        do {
            let reply = try await Deadline.with(.after(configuration.longPatience)) {
                try await redis.evaluate(
                    Self.script, keys: [members], arguments: [replica, configuration.memberLife.wholeMicroseconds])
            }
            probe = asked.duration(to: .now) <= configuration.patience ? .answered : .answeredLate
            replicas = reply.integer.map { Int($0) }
        } catch {
            // A replica that is being stopped has lost nothing.
            if Task.isCancelled { return }
        }
        let now = now
        state.withLock { state in
            if state.condition.probed(probe) { state.lost = now }
            if let replicas { state.replicas = max(1, replicas) }
        }
    }

    /// Answers how many live, this one included.
    private static let script = RedisScript(
        """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local life = tonumber(ARGV[2])
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - life))
        redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('(%.0f', now + life), '+inf')
        redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
        redis.call('PEXPIRE', KEYS[1], math.ceil(life / 1000))
        return redis.call('ZCARD', KEYS[1])
        """)
}
