internal import Foundation
internal import InteropContracts
internal import RPC

extension TestCase {
    /// rpc_soak makes all calls on one channel, channel_soak each on a channel of its own.
    static let soaks: [TestCase] = [
        TestCase(name: "rpc_soak") { server in
            try await server.withBareChannel { channel in
                try await soak(server) { try await largeCall(channel, server.soak) }
            }
        },
        TestCase(name: "channel_soak") { server in
            try await soak(server) {
                try await server.withBareChannel { try await largeCall($0, server.soak) }
            }
        },
    ]

    /// Makes a call, and says who is at the other end of the channel.
    private static func largeCall(_ channel: RPCChannel, _ options: SoakOptions) async throws -> String {
        let request = GRPCTesting.SimpleRequest(
            responseSize: Int32(options.responseBytes), payload: .zeros(options.requestBytes))
        try await GRPCTesting.TestServiceClient(channel).unaryCall(request).payload.check(zeros: options.responseBytes)
        let peers = await ChannelzRegistry.process.channel(id: channel.channelzID)?.subchannels ?? []
        return peers.map(\.name).joined(separator: ",")
    }

    private struct Tally {
        var calls = 0
        var failures: [String] = []
        var slowest = Duration.zero

        mutating func add(_ other: Tally) {
            calls += other.calls
            failures += other.failures
            slowest = max(slowest, other.slowest)
        }
    }

    private static func soak(_ server: TestServer, _ call: @escaping @Sendable () async throws -> String) async throws {
        let options = server.soak
        let share = options.iterations / options.workers
        let end = ContinuousClock.now + .seconds(options.timeoutSeconds)
        let tally = await withTaskGroup { group in
            for worker in 0..<options.workers {
                group.addTask { await repeatCall(worker * share..<(worker + 1) * share, until: end, server, call) }
            }
            return await group.reduce(into: Tally()) { $0.add($1) }
        }
        let first = tally.failures.first.map { " The first: \($0)" } ?? ""
        try expect(
            tally.calls == options.iterations,
            "Only \(tally.calls) of \(options.iterations) calls were made in \(options.timeoutSeconds) s.\(first)")
        try expect(
            tally.failures.count <= options.maxFailures,
            "\(tally.failures.count) of \(tally.calls) calls failed or took too long.\(first)")
    }

    private static func repeatCall(
        _ iterations: Range<Int>, until end: ContinuousClock.Instant, _ server: TestServer,
        _ call: @Sendable () async throws -> String
    ) async -> Tally {
        let options = server.soak
        var tally = Tally()
        for iteration in iterations where ContinuousClock.now < end {
            let begun = ContinuousClock.now
            var peer = "unknown"
            var failure: String?
            do { peer = try await call() } catch { failure = "\(error)" }
            let took = ContinuousClock.now - begun
            if took > .milliseconds(options.maxLatencyMilliseconds) { failure = failure ?? "It took \(took)." }
            let milliseconds = Int(took / .milliseconds(1))
            say("soak iteration: \(iteration) elapsed_ms: \(milliseconds) peer: \(peer) server_uri: \(server.uri) "
                + (failure.map { "failed: \($0)" } ?? "succeeded"))
            tally.add(Tally(calls: 1, failures: failure.map { [$0] } ?? [], slowest: took))
            let next = begun + .milliseconds(options.minMillisecondsBetweenCalls)
            try? await Task.sleep(until: min(next, end))  // Nobody cancels it, and an early end would only hurry.
        }
        return tally
    }

    /// Of each iteration there is a line beside the results, as gRPC's description has it.
    private static func say(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
