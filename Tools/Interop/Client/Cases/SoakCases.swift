internal import InteropContracts
internal import RPC

extension TestCase {
    /// rpc_soak makes all calls on one channel, channel_soak each on a channel of its own.
    static let soaks: [TestCase] = [
        TestCase(name: "rpc_soak") { server in
            try await server.withChannel { service in
                try await soak(server.soak) { try await largeCall(service, server.soak) }
            }
        },
        TestCase(name: "channel_soak") { server in
            try await soak(server.soak) {
                try await server.withChannel { try await largeCall($0, server.soak) }
            }
        },
    ]

    private static func largeCall(_ service: GRPCTesting.TestServiceClient, _ options: SoakOptions) async throws {
        let request = GRPCTesting.SimpleRequest(
            responseSize: Int32(options.responseBytes), payload: .zeros(options.requestBytes))
        try await service.unaryCall(request).payload.check(zeros: options.responseBytes)
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

    private static func soak(_ options: SoakOptions, _ call: @escaping @Sendable () async throws -> Void) async throws {
        let end = ContinuousClock.now + .seconds(options.timeoutSeconds)
        let tally = await withTaskGroup { group in
            for _ in 0..<options.workers {
                group.addTask { await repeatCall(options.iterations / options.workers, until: end, options, call) }
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
        _ times: Int, until end: ContinuousClock.Instant, _ options: SoakOptions,
        _ call: @Sendable () async throws -> Void
    ) async -> Tally {
        var tally = Tally()
        for _ in 0..<times where ContinuousClock.now < end {
            let begun = ContinuousClock.now
            var failure: String?
            do { try await call() } catch { failure = "\(error)" }
            let took = ContinuousClock.now - begun
            if took > .milliseconds(options.maxLatencyMilliseconds) { failure = failure ?? "It took \(took)." }
            tally.add(Tally(calls: 1, failures: failure.map { [$0] } ?? [], slowest: took))
            let next = begun + .milliseconds(options.minMillisecondsBetweenCalls)
            try? await Task.sleep(until: min(next, end))  // Nobody cancels it, and an early end would only hurry.
        }
        return tally
    }
}
