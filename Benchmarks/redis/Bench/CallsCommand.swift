internal import ArgumentParser
internal import BenchmarkSupport
internal import Redis
internal import Resilience
internal import Time

/// Calls as fast as the server answers, and says how often and at what cost to the client.
struct CallsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "calls", abstract: "Calls for some seconds.")

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case get, set
        /// The limiter that keeps one integer a caller.
        case gcra
        /// The limiter that keeps every unit of a sliding window.
        case window
        /// A script that does nothing, with as many keys and arguments as the limiters'.
        case script
    }

    @OptionGroup var server: ServerOptions

    @Option(help: "What to call.")
    var kind = Kind.get

    @Option(help: "Tasks that call at a time.")
    var callers = 64

    @Flag(help: "Call from tasks that run elsewhere than on the event loops.")
    var elsewhere = false

    @Option(help: "Seconds to measure; a quarter of a second comes first, unmeasured.")
    var seconds = 2.0

    @Option(help: "Keys to choose from.")
    var keys = 100_000

    func run() async throws {
        try await server.withRedis { redis in
            let caller = Caller(redis: redis, kind: kind, keys: keys)
            _ = try await call(caller, for: .milliseconds(250))
            let start = ContinuousClock.now
            let processTime = ProcessTime.now
            let count = try await call(caller, for: .seconds(seconds))
            let spent = (ProcessTime.now - processTime) / .microseconds(1)
            let elapsed = (ContinuousClock.now - start) / .seconds(1)
            print("{\"calls\": \(count), \"seconds\": \(elapsed), \"cpu_us_per_call\": \(spent / Double(count))}")
        }
    }

    private func call(_ caller: Caller, for duration: Duration) async throws -> Int {
        let end = ContinuousClock.now + duration
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<callers {
                let executor = EventLoopExecutor.all[number % EventLoopExecutor.all.count]
                group.addTask(executorPreference: elsewhere ? nil : executor) {
                    var count = 0
                    while ContinuousClock.now < end {
                        try await caller.call(number &* 7919 &+ count &* 104_729)
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
    }
}

private struct Caller: Sendable {
    let redis: Redis
    let kind: CallsCommand.Kind
    let keys: Int
    private let gcra: GCRALimiter
    private let window: SlidingWindowLimiter
    private static let empty = RedisScript("return {1, 2, 3}")

    init(redis: Redis, kind: CallsCommand.Kind, keys: Int) {
        self.redis = redis
        self.kind = kind
        self.keys = keys
        let limit = RateLimit(units: 1_200, window: .seconds(60))
        gcra = GCRALimiter(redis: redis, limit: limit, name: "u")
        window = SlidingWindowLimiter(redis: redis, limit: limit, name: "u")
    }

    func call(_ number: Int) async throws {
        // As long as redis-benchmark's.
        let name = String(number % keys)
        let key = "key:" + String(repeating: "0", count: 12 - name.count) + name
        switch kind {
        case .get: _ = try await redis.get(key)
        case .set: try await redis.set(key, to: "xxx")
        case .gcra: _ = try await gcra.admit(key, cost: 1)
        case .window: _ = try await window.admit(key, cost: 1)
        case .script: _ = try await redis.evaluate(Self.empty, keys: [key], arguments: [50_000, 1_200, 1, 0, 0])
        }
    }
}
