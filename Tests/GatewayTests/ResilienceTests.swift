import Contracts
import RPC
import Resilience
import Synchronization
import TestSupport
import Testing
import Time

@testable import Gateway

private let listDevices = VitalsV1.VitalsServiceMethods.listDevices.descriptor
private let listCollections = VectorsV1.VectorsServiceMethods.listCollections.descriptor
private let listSessions = ChatV1.ChatServiceMethods.listSessions.descriptor
private let logIn = UsersV1.UsersServiceMethods.logIn.descriptor

/// An hour for the limit, so that little becomes free again while a test runs.
private func limits(calls: Int, of method: MethodDescriptor) -> [String: String] {
    ["HEARTGUARD_RATE_LIMIT_USER": "\(calls * method.policy.cost)", "HEARTGUARD_RATE_WINDOW_SECONDS": "3600"]
}

@Suite struct `Three Gateways` {
    /// Waits until each lets through what must be counted: its first words with the cache Redis may take a while.
    private func untilCounted(_ gateways: Gateways) async throws {
        for gateway in gateways.channels.indices { try await until { await gateways.call(logIn, of: gateway).code == .ok } }
    }

    @Test(arguments: ["gcra", "window"])
    func `admit exactly the limit to 200 clients at once`(algorithm: String) async throws {
        try await withService(.vitals) { vitals in
            try await withService(.users) { users in
                // The cache Redis is there, so each call waits until it is counted.
                let changes = limits(calls: 100, of: listDevices)
                    .merging(["HEARTGUARD_RATE_ALGORITHM": algorithm, "HEARTGUARD_RATE_PATIENCE_MS": "60000"]) { $1 }
                try await withGateways(3, services: [.vitals: vitals, .users: users], changes) { gateways in
                    try await untilCounted(gateways)
                    let ada = try await gateways.signedIn()
                    let codes = await withTaskGroup { group in
                        for client in 0..<200 { group.addTask { await gateways.call(listDevices, of: client % 3, ada).code } }
                        return await group.reduce(into: []) { $0.append($1) }
                    }

                    #expect(codes.count { $0 == .ok } == 100)
                    #expect(codes.count { $0 == .resourceExhausted } == 100)
                }
            }
        }
    }

    @Test(arguments: RedisServer.Loss.allCases)
    func `admit no more than the limit and a tenth when the cache Redis goes, and refuse what must be counted`(way: RedisServer.Loss) async throws {
        try await withService(.vitals) { vitals in
            let limit = limits(calls: 300, of: listDevices)
            try await withGateways(3, services: [.vitals: vitals], limit) { gateways in
                let ada = try await gateways.signedIn()
                @Sendable func calls(_ count: Int) async -> Int {
                    await withTaskGroup { group in
                        for client in 0..<count { group.addTask { await gateways.call(listDevices, of: client % 3, ada).code } }
                        return await group.reduce(0) { $0 + ($1 == .ok ? 1 : 0) }
                    }
                }
                // Each Gateway has heard how many there are within a second.
                try await Task.sleep(for: .seconds(2))
                let before = await calls(150)
                try await gateways.cache.lose(way)
                var signIn = await gateways.call(logIn)
                try await until {
                    signIn = await gateways.call(logIn)
                    return signIn.code == .unavailable
                }
                let during = await calls(600)
                if way == .paused { try await gateways.cache.server.resume() }

                #expect(before == 150)
                #expect(during > 0)
                #expect(before + during <= 331)
                #expect(signIn.retryDelay != nil)
            }
        }
    }

    @Test(arguments: RedisServer.Loss.allCases)
    func `count and call on when the durable Redis goes, each by its own judgement`(way: RedisServer.Loss) async throws {
        try await withService(.users) { users in
            try await withGateways(3, services: [.users: users]) { gateways in
                try await untilCounted(gateways)
                try await gateways.durable.lose(way)
                var codes: [StatusCode] = []
                for call in 0..<30 { codes.append(await gateways.call(logIn, of: call % 3).code) }
                if way == .paused { try await gateways.durable.server.resume() }

                #expect(codes.allSatisfy { $0 == .ok })
            }
        }
    }

    @Test func `refuse nobody twice who comes again when it was told to`() async throws {
        try await withService(.vitals) { vitals in
            let changes = ["HEARTGUARD_RATE_LIMIT_USER": "20", "HEARTGUARD_RATE_WINDOW_SECONDS": "1"]
            try await withGateways(3, services: [.vitals: vitals], changes) { gateways in
                let ada = try await gateways.signedIn()
                var refusals = 0
                for call in 0..<80 {
                    let answer = await gateways.call(listDevices, of: call % 3, ada)
                    guard answer.code == .resourceExhausted else { continue }
                    refusals += 1
                    try await Task.sleep(for: answer.retryDelay ?? .zero)
                    let again = await gateways.call(listDevices, of: call % 3, ada)
                    #expect(again.code == .ok)
                }
                #expect(refusals > 0)
            }
        }
    }
}

@Suite struct `A service that hangs` {
    /// Calls that a service has begun and not ended.
    final class Hanging: Sendable {
        private let count = Atomic<Int>(0)
        private let isOver = Atomic(false)
        var calls: Int { count.load(ordering: .relaxed) }
        func end() { isOver.store(true, ordering: .relaxed) }

        func hang() async throws {
            count.wrappingAdd(1, ordering: .relaxed)
            defer { count.wrappingSubtract(1, ordering: .relaxed) }
            while !isOver.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(20)) }
        }
    }

    @Test func `holds its places and none of another service`() async throws {
        let hanging = Hanging()
        try await withService(.vectors, { _ in try await hanging.hang() }) { vectors in
            try await withService(.vitals) { vitals in
                let changes = ["HEARTGUARD_SERVICE_MAX_CALLS": "8", "HEARTGUARD_SERVICE_MAX_WAITING": "4"]
                try await withGateways(1, services: [.vitals: vitals, .vectors: vectors], changes) { gateways in
                    let ada = try await gateways.signedIn()
                    let quiet = try await latencies(100, gateways, ada)
                    let (busy, refused) = try await withThrowingTaskGroup(of: StatusCode.self) { group in
                        for _ in 0..<100 { group.addTask { await gateways.call(listCollections, ada, timeout: .seconds(20)).code } }
                        var refused = 0
                        // All but those that have a place and those that wait for one.
                        while refused < 88, let code = try await group.next() { if code == .unavailable { refused += 1 } }
                        // The others have been refused before these arrive.
                        try await until { hanging.calls == 8 }
                        let busy = try await latencies(100, gateways, ada)
                        #expect(hanging.calls == 8)
                        hanging.end()
                        return (busy, refused)
                    }

                    #expect(refused >= 88)
                    print("Vitals' p50 and p99 beside a Vectors that answers: \(quiet.p50), \(quiet.p99); that hangs: \(busy.p50), \(busy.p99)")
                }
            }
        }
    }

    private func latencies(_ calls: Int, _ gateways: Gateways, _ options: CallOptions) async throws -> (p50: Duration, p99: Duration) {
        var took: [Duration] = []
        for _ in 0..<calls {
            let began = ContinuousClock.now
            let answer = await gateways.call(listDevices, options)
            #expect(answer.code == .ok)
            took.append(began.duration(to: .now))
        }
        took.sort()
        return (took[calls / 2], took[calls * 99 / 100])
    }
}

@Suite struct `A service that is gone` {
    @Test func `is not waited for once it is known, is marked in the overview, and is found again`() async throws {
        let port = try FreePort.find()
        let operatorPort = try FreePort.find()
        let changes = [
            "HEARTGUARD_BREAKER_OPEN_MS": "300", "HEARTGUARD_BREAKER_MIN_CALLS": "5", "HEARTGUARD_OPERATOR_PORT": "\(operatorPort)",
        ]
        try await withService(.vitals) { vitals in
            try await withGateways(1, services: [.vitals: vitals, .chat: port], changes) { gateways in
                let ada = try await gateways.signedIn()
                let waited = await withTaskGroup { group in
                    for call in 0..<8 {
                        group.addTask { await gateways.call(listSessions, ada, timeout: .milliseconds(3_000 + call * 150)).code }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                let refused = await gateways.call(listSessions, ada, timeout: .seconds(20))
                let overview = try await GatewayV1.GatewayServiceClient(gateways.channels[0])
                    .getPatientOverview(.init(), options: ada)

                #expect(waited.allSatisfy { $0 == .deadlineExceeded || $0 == .unavailable })
                #expect(refused.code == .unavailable)
                #expect(refused.retryDelay != nil)
                #expect(refused.error?.message == "The chat service does not answer at the moment.")
                #expect(overview.parts.first { $0.service == "chat" }?.state == .unavailable)
                #expect(overview.parts.first { $0.service == "vitals" }?.state == .present)

                try await withService(.chat, port: port) { _ in
                    try await until { await gateways.call(listSessions, ada).code == .ok }
                    // Until all tries have succeeded, some calls are still refused.
                    for _ in 0..<20 { _ = await gateways.call(listSessions, ada) }
                }
                let metrics = try await Command.run(
                    "/usr/bin/curl", ["--silent", "--fail", "--max-time", "20", "http://127.0.0.1:\(operatorPort)/metrics"])
                func value(_ sample: String) -> Int? {
                    metrics.split(separator: "\n").first { $0.hasPrefix(sample + " ") }.flatMap { Int($0.dropFirst(sample.count + 1)) }
                }
                let states = ["closed", "open", "half_open", "open_for_others"]
                #expect(states.compactMap { value("heartguard_breaker_state{service=\"chat\",state=\"\($0)\"}") }.sorted() == [0, 0, 0, 1])
                #expect(value("heartguard_breaker_openings_total{service=\"chat\"}").map { $0 > 0 } == true)
                #expect(value("heartguard_breaker_openings_total{service=\"vitals\"}") == 0)
                #expect(value("heartguard_breaker_refused_total{service=\"chat\"}") != nil)
                #expect(value("heartguard_bulkhead_in_use{service=\"chat\"}") == 0)
                #expect(value("heartguard_bulkhead_limit{service=\"vitals\"}") == 512)
                let counted = "heartguard_limiter_decisions_total{limiter=\"user\",counted=\"redis\",outcome=\"admitted\"}"
                #expect(value(counted).map { $0 >= 10 } == true)
            }
        }
    }

    /// Calls that wait for a service that cannot be reached, a second longer than says something about it: a busy machine takes some of it.
    private func wait(_ gateways: Gateways, of gateway: Int, _ options: CallOptions) async {
        await withDiscardingTaskGroup { group in
            for call in 0..<8 {
                group.addTask {
                    _ = await gateways.call(listSessions, of: gateway, options, timeout: .milliseconds(3_000 + call * 150))
                }
            }
        }
    }

    @Test func `is gone for the one Gateway that is cut off from it, and there for the others`() async throws {
        let changes = ["HEARTGUARD_BREAKER_OPEN_MS": "60000", "HEARTGUARD_BREAKER_MIN_CALLS": "5"]
        try await withService(.chat) { chat in
            try await withGateways(3, services: [.chat: chat], changes, cutOff: .chat) { gateways in
                let ada = try await gateways.signedIn()
                await wait(gateways, of: 0, ada)
                #expect(await gateways.call(listSessions, of: 0, ada).error?.message == "The chat service does not answer at the moment.")
                // Longer than it takes verdicts to be heard.
                for _ in 0..<20 {
                    for gateway in 1...2 { #expect(await gateways.call(listSessions, of: gateway, ada).code == .ok) }
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
        }
    }

    @Test func `is gone for a Gateway that has not called it, when the others say so`() async throws {
        let changes = ["HEARTGUARD_BREAKER_OPEN_MS": "60000", "HEARTGUARD_BREAKER_MIN_CALLS": "5"]
        try await withGateways(3, services: [:], changes) { gateways in
            let ada = try await gateways.signedIn()
            async let first: Void = wait(gateways, of: 0, ada)
            async let second: Void = wait(gateways, of: 1, ada)
            _ = await (first, second)

            try await until {
                await gateways.call(listSessions, of: 2, ada, timeout: .milliseconds(500)).error?.message
                    == "The chat service does not answer at the moment."
            }
        }
    }

    /// As in a restart: calls wait for the service, and none fails.
    @Test func `is waited for while it may come back`() async throws {
        let port = try FreePort.find()
        try await withGateways(1, services: [.chat: port]) { gateways in
            let ada = try await gateways.signedIn()
            let calls = Task {
                await withTaskGroup { group in
                    for _ in 0..<100 { group.addTask { await gateways.call(listSessions, ada).code } }
                    return await group.reduce(into: []) { $0.append($1) }
                }
            }
            try await Task.sleep(for: .milliseconds(500))
            let codes = try await withService(.chat, port: port) { _ in await calls.value }

            #expect(codes.allSatisfy { $0 == .ok })
        }
    }
}

@Suite struct `The end of a call to a service` {
    private func outcome(
        _ error: RPCError, isStream: Bool = false, waitForReady: Bool = true, isProbe: Bool = false, isLate: Bool = false, took: Duration = .zero
    ) -> CallOutcome {
        BackendGuard.outcome(of: error, isStream: isStream, waitsForReady: waitForReady, isProbe: isProbe, isLate: isLate, took: took)
    }

    @Test func `counts against it when it was not there`() {
        #expect(outcome(RPCError(.unavailable, "")) == .failed)
        #expect(outcome(RPCError(.unavailable, ""), waitForReady: false) == .neutral)
        #expect(outcome(RPCError(.unavailable, ""), waitForReady: false, isProbe: true) == .failed)
        #expect(outcome(RPCError(.deadlineExceeded, ""), took: .seconds(5)) == .failed)
        #expect(outcome(RPCError(.cancelled, ""), isLate: true, took: .seconds(5)) == .failed)
        #expect(outcome(RPCError(.cancelled, ""), isLate: false, took: .seconds(5)) == .neutral)
    }

    @Test func `says nothing where a stream has gone on until its deadline`() {
        #expect(outcome(RPCError(.deadlineExceeded, ""), isStream: true, took: .seconds(5)) == .neutral)
        #expect(outcome(RPCError(.cancelled, ""), isStream: true, isLate: true, took: .seconds(5)) == .neutral)
        #expect(outcome(RPCError(.unavailable, ""), isStream: true, took: .seconds(5)) == .failed)
    }

    @Test func `says that it is there when it says itself when to come again, or what is wrong with the request`() {
        #expect(outcome(.retry(.unavailable, "", after: .seconds(1))) == .succeeded)
        #expect(outcome(RPCError(.notFound, "")) == .succeeded)
        #expect(outcome(RPCError(.invalidArgument, "")) == .succeeded)
    }

    @Test(arguments: [StatusCode.cancelled, .deadlineExceeded, .internalError, .unknown, .dataLoss, .resourceExhausted])
    func `says nothing when a caller can bring it about`(code: StatusCode) {
        #expect(outcome(RPCError(code, ""), took: .milliseconds(500)) == .neutral)
    }
}
