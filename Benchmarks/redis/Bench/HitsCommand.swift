internal import ArgumentParser
internal import BenchmarkSupport
internal import Cache
internal import Redis

/// Reads one cache's entries from the process's memory.
struct HitsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "hits", abstract: "Reads what is in memory.")

    @OptionGroup var server: ServerOptions

    @Option(help: "Reads to measure; a tenth of it comes first, unmeasured.")
    var reads = 2_000_000

    @Option(help: "Entries, all in memory.")
    var entries = 1_000

    func run() async throws {
        try await server.withRedis { redis in
            let hub = CacheHub(redis: redis, configuration: server.configuration, logger: ServerOptions.logger)
            let listening = Task { await hub.run() }
            defer { listening.cancel() }
            while !hub.isHearing { try await Task.sleep(for: .milliseconds(1)) }
            let cache = TieredCache("hits", hub: hub, codec: .bytes)
            let keys = (0..<entries).map { CacheKey.shared("entry \($0)") }
            for key in keys { _ = try await cache.value(for: key) { [1, 2, 3] } }
            _ = try await read(cache, keys, reads / 10)
            let start = ContinuousClock.now
            let found = try await read(cache, keys, reads)
            let elapsed = (ContinuousClock.now - start) / .nanoseconds(1)
            guard found == reads else { throw Missing(count: reads - found) }
            print("{\"reads\": \(reads), \"ns_per_read\": \(elapsed / Double(reads))}")
        }
    }

    struct Missing: Error {
        let count: Int
    }

    private func read(_ cache: TieredCache<[UInt8]>, _ keys: [CacheKey], _ count: Int) async throws -> Int {
        var found = 0
        for number in 0..<count {
            if try await cache.value(for: keys[number % keys.count], load: { nil }) != nil { found += 1 }
        }
        return found
    }
}
