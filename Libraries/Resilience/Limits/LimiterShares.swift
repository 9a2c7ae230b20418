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
        /// Another number says that Redis may have come back empty.
        let generation: Int
        /// When Redis was lost last, in microseconds of `now`.
        let lost: Int64
        let replicas: Int
    }

    private struct State {
        var condition = StoreCondition()
        var lost: Int64 = 0
        var replicas: Int
        /// Until then none that was counted counts as gone: while Redis was away, nobody could say that it lives.
        var replicasHeldUntil: Int64 = 0
        var generation = 0
        /// How many Redis last said that live.
        var live = 0
        /// Until then those are waited for that have not come back to a Redis which has come back empty.
        var othersAwaitedUntil: Int64 = 0
        /// What Redis holds for as long as it holds anything.
        var mark: [UInt8]?
        var settlers: [Settler] = []
    }

    /// Tells Redis of one limiter. `false` says that Redis does not answer after all.
    typealias Settler = @Sendable (_ part: ShareLedger.Part, _ generation: Int) async -> Bool

    package let configuration: ShareConfiguration
    private let redis: Redis
    private let keys: [String]
    private let replica: String
    private let began = ContinuousClock.now
    private let state: Mutex<State>

    /// - Parameters:
    ///   - redis: a client of the cache role, the one that the limiters count in.
    ///   - group: the replicas that share their limits are those of one name.
    package init(redis: Redis, group: String, configuration: ShareConfiguration = .init()) {
        self.redis = redis
        self.configuration = configuration
        keys = ["limit:{\(group)}:members", "limit:{\(group)}:mark"]
        replica = String(UInt64.random(in: .min ... .max), radix: 36)
        state = Mutex(State(replicas: configuration.assumedReplicas))
    }

    /// Microseconds since this was made.
    var now: Int64 { began.duration(to: .now).wholeMicroseconds }

    var view: View {
        state.withLock { state in
            View(
                standing: state.condition.standing, generation: state.generation, lost: state.lost,
                replicas: state.replicas)
        }
    }

    /// Whether Redis counts for all replicas now.
    package var isCountedTogether: Bool { view.standing == .up }

    /// How many replicas share the limits, as last heard.
    package var replicas: Int { view.replicas }

    /// What is done when Redis answers again and before calls go to it.
    func beforeCountingTogether(_ settler: @escaping Settler) {
        state.withLock { $0.settlers.append(settler) }
    }

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
        let (redis, members, replica) = (redis, keys[0], replica)
        await Task { _ = try? await Deadline.with(.after(.milliseconds(200))) { try await redis.send(["ZREM", members, replica]) } }
            .value
    }

    private func probe() async {
        let asked = ContinuousClock.now
        var probe = StoreCondition.Probe.failed
        do {
            let reply = try await Deadline.with(.after(configuration.longPatience)) {
                try await redis.evaluate(
                    Self.script, keys: keys,
                    arguments: [replica, configuration.memberLife.wholeMicroseconds, String(UInt64.random(in: .min ... .max), radix: 36)])
            }
            probe = asked.duration(to: .now) <= configuration.patience ? .answered : .answeredLate
            heard(reply)
        } catch {
            // A replica that is being stopped has lost nothing.
            if Task.isCancelled { return }
        }
        let wasAway = !isCountedTogether
        if case .answered = probe, wasAway, await !settle() { probe = .answeredLate }
        let now = now
        state.withLock { if $0.condition.probed(probe) { $0.lost = now } }
        // What was let through while the last of the rest was told; from here on nothing is. If Redis has gone again it is owed until the next time.
        if wasAway, isCountedTogether { _ = await tell(.owed) }
    }

    private func heard(_ reply: RESPValue) {
        guard let values = reply.array, values.count == 2, let live = values[0].integer, let mark = values[1].bytes else { return }
        let now = now
        state.withLock { state in
            if state.condition.standing != .up {
                state.replicasHeldUntil = now + configuration.memberLife.wholeMicroseconds
            }
            state.live = Int(live)
            state.replicas = max(1, state.live, now < state.replicasHeldUntil ? state.replicas : 1)
            if let known = state.mark, known != mark {
                state.generation += 1
                state.othersAwaitedUntil = now + configuration.memberLife.wholeMicroseconds
            }
            state.mark = mark
        }
    }

    /// Tells Redis what it does not know: first what was in use, then what was let through here, then what has come meanwhile.
    /// Other replicas do the same at this time, so each waits a probe's time for them between the steps. A Redis that has come back empty
    /// takes what it was told before for part of what a replica says later was in use: so what was let through waits until all are back.
    private func settle() async -> Bool {
        guard await tell(.used) else { return false }
        let now = now
        let (replicas, areOthersAwaited) = state.withLock { ($0.replicas, $0.live < $0.replicas && now < $0.othersAwaitedUntil) }
        if areOthersAwaited { return false }
        for _ in 1...2 {
            // Cancellation ends the wait, and what is asked next with it.
            if replicas > 1 { try? await Task.sleep(for: configuration.probeInterval) }
            guard await tell(.owed) else { return false }
        }
        return true
    }

    private func tell(_ part: ShareLedger.Part) async -> Bool {
        let (settlers, generation) = state.withLock { ($0.settlers, $0.generation) }
        for settler in settlers { guard await settler(part, generation) else { return false } }
        return true
    }

    /// Answers how many live, this one included, and the mark.
    private static let script = RedisScript(
        """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local life = tonumber(ARGV[2])
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - life))
        redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('(%.0f', now + life), '+inf')
        redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
        redis.call('PEXPIRE', KEYS[1], math.ceil(life / 1000))
        redis.call('SET', KEYS[2], ARGV[3], 'NX')
        return {redis.call('ZCARD', KEYS[1]), redis.call('GET', KEYS[2])}
        """)
}
