internal import ArgumentParser
internal import Cache
internal import Redis
internal import Synchronization

/// How long another replica serves what one has changed, counted from the moment at which the change has returned.
struct StaleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stale", abstract: "Changes an entry, and looks when others see it.")

    @OptionGroup var server: ServerOptions

    @Option(help: "Changes.")
    var changes = 1_000

    @Option(help: "Replicas besides the one that changes, each with connections of its own.")
    var replicas = 2

    @Option(help: "Tasks that read other entries of the replicas meanwhile.")
    var readers = 16

    func run() async throws {
        try await withReplicas { writer, others in
            let key = CacheKey.shared("number")
            let value = Mutex(0)
            let load: @Sendable () async throws -> [UInt8]? = { Array("\(value.withLock { $0 })".utf8) }
            let reading = Task { await read(others) }
            defer { reading.cancel() }
            var windows: [Double] = []
            for number in 1...changes {
                for other in others { _ = try await other.value(for: key, load: load) }
                try await writer.changing([key]) { value.withLock { $0 = number } }
                let changed = ContinuousClock.now
                let expected = Array("\(number)".utf8)
                for other in others {
                    while try await other.value(for: key, load: load) != expected { await Task.yield() }
                }
                windows.append((ContinuousClock.now - changed) / .milliseconds(1))
            }
            windows.sort()
            func percentile(_ share: Double) -> Double { windows[min(windows.count - 1, Int(Double(windows.count) * share))] }
            print("{\"p50_ms\": \(percentile(0.5)), \"p99_ms\": \(percentile(0.99)), \"max_ms\": \(percentile(1))}")
        }
    }

    private func read(_ caches: [TieredCache<[UInt8]>]) async {
        await withDiscardingTaskGroup { group in
            for number in 0..<readers {
                group.addTask {
                    while !Task.isCancelled {
                        // What fails here shows in the changes' own reads.
                        _ = try? await caches[number % caches.count].value(for: .shared("other \(Int.random(in: 0..<100_000))")) { [1] }
                    }
                }
            }
        }
    }

    private func withReplicas(
        _ body: (TieredCache<[UInt8]>, [TieredCache<[UInt8]>]) async throws -> Void
    ) async throws {
        let clients = (0...replicas).map { _ in Redis(configuration: server.configuration, logger: ServerOptions.logger) }
        let hubs = clients.map { CacheHub(redis: $0, configuration: server.configuration, logger: ServerOptions.logger) }
        let running = clients.map { client in Task { await client.run() } } + hubs.map { hub in Task { await hub.run() } }
        defer { for task in running { task.cancel() } }
        for hub in hubs { while !hub.isHearing { try await Task.sleep(for: .milliseconds(1)) } }
        let caches = hubs.map { TieredCache("stale", hub: $0, codec: .bytes) }
        try await body(caches[0], Array(caches.dropFirst()))
    }
}
