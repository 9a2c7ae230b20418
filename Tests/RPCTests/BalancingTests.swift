import Logging
import Synchronization
import Testing

@testable import RPC

private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Runs as many servers as there are handlers, each on a free port, for the time of `body`.
private func withServers<Result: Sendable>(
    _ handlers: [MethodHandler], _ ports: [Int] = [], _ body: @Sendable @escaping ([Int]) async throws -> Result
) async throws -> Result {
    guard let first = handlers.first else { return try await body(ports) }
    return try await withLoopback([first]) { loopback in
        try await withServers(Array(handlers.dropFirst()), ports + [loopback.port], body)
    }
}

private func channel(
    to ports: [Int], _ balancing: LoadBalancing? = nil, _ configure: (inout RPCChannelConfiguration) -> Void = { _ in }
) -> RPCChannel {
    var configuration = RPCChannelConfiguration()
    configuration.initialBackoff = .milliseconds(5)
    configuration.maxBackoff = .milliseconds(20)
    configuration.serviceConfig = balancing.map { ServiceConfig(loadBalancing: $0) }
    configure(&configuration)
    return RPCChannel(
        target: .addresses(ports.map { RPCAddress(host: "127.0.0.1", port: $0) }), configuration: configuration, logger: quiet)
}

/// Whether every lane of the channel has a connection to each of its addresses.
private func isConnected(_ channel: RPCChannel) async -> Bool {
    guard let known = await ChannelzRegistry.process.channel(id: channel.channelzID) else { return false }
    for subchannel in known.subchannels {
        guard await ChannelzRegistry.process.subchannel(id: subchannel.id)?.state == .ready else { return false }
    }
    return true
}

@Suite struct `A channel to several servers` {
    private func counting(_ counter: Counter) -> MethodHandler {
        .unary(Notes.say) { note, _ in
            counter.increment()
            return note
        }
    }

    @Test(arguments: [1, 2]) func `shares its calls out evenly`(connections: Int) async throws {
        let counters = (0..<3).map { _ in Counter() }

        try await withServers(counters.map(counting)) { ports in
            let channel = channel(to: ports) { $0.connections = connections }
            // Until all are connected, those that are take the calls.
            repeat { _ = try await channel.unary(Notes.say, "a") } while await !isConnected(channel)
            let before = counters.map(\.value)
            for _ in 0..<30 * connections { _ = try await channel.unary(Notes.say, "a") }
            let shares = zip(counters, before).map { $0.value - $1 }
            #expect(shares.reduce(0, +) == 30 * connections)
            #expect(shares.allSatisfy { $0 >= 10 * connections - 2 && $0 <= 10 * connections + 2 })
            #expect(await channel.state() == .ready)
            await channel.close()
        }
    }

    @Test func `sends its calls to the others when one is gone`() async throws {
        let counters = (0..<2).map { _ in Counter() }

        try await withServers([counting(counters[0])]) { ports in
            let first = try await withServers([self.counting(counters[1])]) { more in
                let channel = channel(to: ports + more)
                while counters.contains(where: { $0.value == 0 }) { _ = try await channel.unary(Notes.say, "a") }
                return channel
            }
            // Here the second server has shut down.
            for _ in 0..<20 { _ = try await first.unary(Notes.say, "a") }
            await first.close()
        }
    }

    @Test func `keeps to the first that it can reach when it is told to`() async throws {
        let counters = (0..<2).map { _ in Counter() }

        try await withServers(counters.map(counting)) { ports in
            let channel = channel(to: [1] + ports, LoadBalancing(.pickFirst)) { $0.attemptDelay = .seconds(3_600) }
            for _ in 0..<10 { _ = try await channel.unary(Notes.say, "a") }
            await channel.close()
        }

        #expect(counters.map(\.value) == [10, 0])
    }

    @Test func `fails its calls when none can be reached, and says why`() async throws {
        let channel = channel(to: [1, 1, 2])

        let error = await #expect(throws: RPCError.self) { try await channel.unary(Notes.say, "a") }

        #expect(error?.code == .unavailable)
        #expect(error?.message.hasPrefix("The server cannot be reached: ") == true)
        await channel.close()
        #expect(await channel.state() == .shutdown)
    }

    @Test func `gives the least busy server the most calls`() async throws {
        let busy = Counter()
        let stuck = Counter()
        let idle = Counter()
        let release = Signal()
        let slow = MethodHandler.unary(Notes.say) { note, _ in
            busy.increment()
            if note == "wait" {
                stuck.increment()
                await release.wait()
            }
            return note
        }

        try await withServers([slow, counting(idle)]) { ports in
            let channel = channel(to: ports, LoadBalancing(.leastRequests(choices: 10)))
            while busy.value == 0 || idle.value == 0 { _ = try await channel.unary(Notes.say, "a") }
            // One of a few such calls meets the slow server and keeps it busy; those before it have been answered.
            let answered = Counter()
            var waiting: [Task<Void, any Error>] = []
            while stuck.value == 0 {
                waiting.append(
                    Task {
                        _ = try await channel.unary(Notes.say, "wait")
                        answered.increment()
                    })
                while stuck.value == 0, answered.value < waiting.count { try await Task.sleep(for: .milliseconds(1)) }
            }
            let before = busy.value
            for _ in 0..<50 { _ = try await channel.unary(Notes.say, "a") }
            // Ten choices out of two miss the idle one once in a thousand times.
            #expect(busy.value <= before + 5)
            release.fire()
            for call in waiting { try await call.value }
            await channel.close()
        }
    }

    @Test func `leaves out a server whose calls fail`() async throws {
        let broken = MethodHandler.unary(Notes.say) { _, _ in throw RPCError(.internalError, "Broken.") }
        var rule = OutlierDetection.FailurePercentage()
        rule.minimumHosts = 2
        rule.requestVolume = 5
        var detection = OutlierDetection()
        detection.interval = .milliseconds(20)
        detection.failurePercentage = rule
        let balancing = LoadBalancing(.roundRobin, outlierDetection: detection)

        try await withServers([broken, NotesService.echo]) { ports in
            let channel = channel(to: ports, balancing)
            var successes = 0
            while successes < 50 {
                do {
                    _ = try await channel.unary(Notes.say, "a")
                    successes += 1
                } catch { successes = 0 }
                try await Task.sleep(for: .milliseconds(1))
            }
            await channel.close()
        }
    }

    @Test func `makes a call again elsewhere when the first place fails`() async throws {
        let record = Record()
        let broken = MethodHandler.unary(Notes.say) { _, _ in
            record.add("broken")
            throw RPCError(.unavailable, "Broken.")
        }
        let retry = RetryPolicy(
            maxAttempts: 2, initialBackoff: .milliseconds(1), maxBackoff: .milliseconds(1), backoffMultiplier: 1,
            retryableStatusCodes: [.unavailable])
        let config = ServiceConfig(
            methods: [MethodConfig(names: [.init()], waitForReady: true, repetition: .retry(retry))],
            loadBalancing: LoadBalancing(.roundRobin))

        try await withServers([broken, NotesService.echo]) { ports in
            let channel = channel(to: ports) { $0.serviceConfig = config }
            // Alone, the broken server fails both attempts; with both connected, no call meets it twice.
            repeat { _ = try? await channel.unary(Notes.say, "a") } while await !isConnected(channel)
            let before = record.all.count
            for _ in 0..<20 { _ = try await channel.unary(Notes.say, "a") }
            #expect(record.all.count > before)
            await channel.close()
        }
    }

    @Test func `is found by a name with several addresses`() async throws {
        try await withServers([NotesService.echo]) { ports in
            var configuration = RPCChannelConfiguration()
            configuration.serviceConfig = ServiceConfig(loadBalancing: LoadBalancing(.roundRobin))
            let channel = RPCChannel(
                target: .name(RPCAddress(host: "localhost", port: ports[0])), configuration: configuration, logger: quiet)
            let answer = try await channel.unary(Notes.say, "a", options: .init(waitForReady: true))
            #expect(answer == "a")
            await channel.close()
        }
    }

    @Test func `says so when nobody knows its name`() async throws {
        var configuration = RPCChannelConfiguration()
        configuration.serviceConfig = ServiceConfig(loadBalancing: LoadBalancing(.roundRobin))
        let channel = RPCChannel(
            target: .name(RPCAddress(host: "nobody.invalid", port: 1)), configuration: configuration, logger: quiet)

        let error = await #expect(throws: RPCError.self) { try await channel.unary(Notes.say, "a") }

        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("nobody.invalid") == true)
        await channel.close()
    }
}

@Suite struct `A server that is restarted under load` {
    /// Restarts the server on one port again and again while calls run, and answers how many calls there were.
    private func restart(times: Int, _ channel: RPCChannel, port: Int, callers: Int) async throws -> Int {
        let isOver = Counter()
        let calls = Counter()
        let callers = (0..<callers).map { _ in
            Task {
                while isOver.value == 0 {
                    _ = try await channel.unary(Notes.say, "a")
                    calls.increment()
                }
            }
        }
        for _ in 0..<times {
            try await withLoopback([NotesService.echo], server: { $0.port = port }) { _ in
                let before = calls.value
                while calls.value < before + 50 { try await Task.sleep(for: .milliseconds(1)) }
            }
        }
        // Calls that wait are answered once more.
        try await withLoopback([NotesService.echo], server: { $0.port = port }) { _ in
            isOver.increment()
            for caller in callers { try await caller.value }
        }
        return calls.value
    }

    @Test(arguments: [1, 2]) func `fails no call of a channel that waits for it`(connections: Int) async throws {
        let port = try await withLoopback([NotesService.echo]) { $0.port }
        // Nothing is retried that a server may have seen: what is sent again was never begun.
        let config = ServiceConfig(methods: [MethodConfig(names: [.init()], waitForReady: true)])
        let channel = channel(to: [port]) {
            $0.connections = connections
            $0.serviceConfig = config
        }

        let calls = try await restart(times: 20, channel, port: port, callers: 20)

        #expect(calls >= 1_000)
        await channel.close()
    }
}
