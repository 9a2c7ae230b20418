package import Redis
internal import Synchronization
internal import Time

/// The breakers of a process, one for each dependency, and the word that goes between the replicas of the program.
///
/// `run` says what this replica holds, and hears what the others do. While Redis cannot be asked, each replica
/// goes by its own judgement.
package final class CircuitBreakers: Sendable {
    private let breakers: [CircuitBreaker]
    private let redis: Redis
    private let configuration: BreakerConfiguration
    private let keys: [String]
    private let replica: String
    /// What was said last, and when.
    private let said = Mutex<(verdicts: [Bool], at: ContinuousClock.Instant)?>(nil)
    /// When the replica last gave itself leave to try.
    private let lastOwnLeave = Mutex<ContinuousClock.Instant?>(nil)

    /// - Parameters:
    ///   - redis: a client of the durable role: what is evicted would be a verdict.
    ///   - group: replicas of one name judge together.
    package init(_ dependencies: [String], redis: Redis, group: String, configuration: BreakerConfiguration = .init()) {
        precondition(redis.role == .durable, "verdicts belong into the Redis that never evicts")
        self.redis = redis
        self.configuration = configuration
        breakers = dependencies.map { CircuitBreaker($0, configuration) }
        keys = ["breaker:{\(group)}:verdicts", "breaker:{\(group)}:probes"]
        replica = String(UInt64.random(in: .min ... .max), radix: 36)
    }

    package subscript(_ dependency: String) -> CircuitBreaker {
        guard let breaker = breakers.first(where: { $0.name == dependency }) else {
            preconditionFailure("\(dependency) has no breaker")
        }
        return breaker
    }

    package var all: [CircuitBreaker] { breakers }

    /// Says and hears until the task is cancelled; then takes back what it said.
    package func run() async {
        while !Task.isCancelled {
            await exchange()
            // Cancellation ends the wait; the loop's condition ends the loop.
            try? await Task.sleep(for: configuration.syncInterval)
        }
        // A cancelled task sends nothing. Who cannot be told finds out when the verdict's life is over.
        let (redis, key, replica) = (redis, keys[0], replica)
        await Task { _ = try? await Deadline.with(.after(.milliseconds(200))) { try await redis.send(["HDEL", key, replica]) } }.value
    }

    private func exchange() async {
        let verdicts = breakers.map(\.ownVerdict)
        let failing = verdicts.map(\.isFailing)
        let now = ContinuousClock.now
        // Said again only when it is another or grows old: what is only heard writes nothing to the disk.
        let isNews = said.withLock { said in
            guard let last = said else { return true }
            return last.verdicts != failing || last.at.duration(to: now) >= configuration.verdictLife / 3
        }
        var arguments: [any RedisArgument] = [
            replica, isNews ? 1 : 0, configuration.verdictLife.wholeMicroseconds, configuration.sharedProbes,
            configuration.probeInterval.millisecondsForRedis,
        ]
        for (breaker, verdict) in zip(breakers, verdicts) {
            arguments += [breaker.name, verdict.isFailing ? 1 : 0, verdict.wantedProbes] as [any RedisArgument]
        }
        let values: [RESPValue]
        do {
            let reply = try await Deadline.with(.after(.milliseconds(500))) { [arguments] in
                try await redis.evaluate(Self.script, keys: keys, arguments: arguments)
            }
            guard let array = reply.array, array.count == 1 + 2 * breakers.count else {
                throw RedisError.unexpectedReply(to: "EVALSHA")
            }
            values = array
        } catch {
            if !Task.isCancelled { goOnAlone(at: now) }
            return
        }
        if isNews { said.withLock { $0 = (failing, now) } }
        let live = Int(values[0].integer ?? 1)
        for (index, breaker) in breakers.enumerated() {
            breaker.heard(
                live: live, failing: Int(values[1 + 2 * index].integer ?? 0),
                allowedProbes: Int(values[2 + 2 * index].integer ?? 0))
        }
    }

    /// One call an interval tries each dependency.
    private func goOnAlone(at now: ContinuousClock.Instant) {
        said.withLock { $0 = nil }
        let isTime = lastOwnLeave.withLock { last in
            if let last, last.duration(to: now) < configuration.probeInterval { return false }
            last = now
            return true
        }
        for breaker in breakers { breaker.heardNothing(allowedProbes: isTime ? 1 : 0) }
    }

    /// A verdict is kept as `<µs at which it ends>` and, for each dependency that fails, `|<name>`. Answers how many
    /// live, and for each dependency how many hold that it fails and how many calls may try it.
    private static let script = RedisScript(
        """
        local replica, isNews, life = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3])
        local budget, interval = tonumber(ARGV[4]), tonumber(ARGV[5])
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

        if isNews then
            local said = string.format('%.0f', now + life)
            for i = 6, #ARGV, 3 do
                if ARGV[i + 1] == '1' then said = said .. '|' .. ARGV[i] end
            end
            redis.call('HSET', KEYS[1], replica, said .. '|')
            redis.call('PEXPIRE', KEYS[1], math.ceil(life / 1000))
        end

        local live, failing = 0, {}
        local all = redis.call('HGETALL', KEYS[1])
        for i = 1, #all, 2 do
            local ends = tonumber(string.match(all[i + 1], '^%d+'))
            -- What ends later than a life from now was said before the clock was set back.
            if not ends or ends < now or ends > now + life then
                if isNews then redis.call('HDEL', KEYS[1], all[i]) end
            else
                live = live + 1
                for name in string.gmatch(all[i + 1], '|([^|]+)') do failing[name] = (failing[name] or 0) + 1 end
            end
        end

        local answer = {live}
        for i = 6, #ARGV, 3 do
            local wanted, allowed = tonumber(ARGV[i + 2]), 0
            if wanted > 0 then
                local used = tonumber(redis.call('HGET', KEYS[2], ARGV[i]) or 0)
                allowed = math.max(0, math.min(wanted, budget - used))
                if allowed > 0 then
                    redis.call('HINCRBY', KEYS[2], ARGV[i], allowed)
                    if redis.call('PTTL', KEYS[2]) < 0 then redis.call('PEXPIRE', KEYS[2], interval) end
                end
            end
            answer[#answer + 1] = failing[ARGV[i]] or 0
            answer[#answer + 1] = allowed
        end
        return answer
        """)
}
