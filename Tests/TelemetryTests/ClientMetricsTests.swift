import Logging
import RPC
import Testing

@testable import Telemetry

@Suite struct `The metrics of a channel` {
    private static let find = Method<RawMessage, RawMessage>(Calls.find)

    private struct Things: RPCService {
        static var serviceName: String { "test.Things" }
        let handlers: [MethodHandler]
    }

    /// The values of the series by their names, of calls that ended with the status.
    private func series(_ store: HDRMetrics, _ status: StatusCode) -> [String: Distribution] {
        var found: [String: Distribution] = [:]
        for one in store.snapshot() where one.dimensions[OTelName.statusAttribute] == status.name {
            switch one.value {
            case .durations(let distribution), .values(let distribution): found[one.label] = distribution
            case .count, .last: break
            }
        }
        return found
    }

    @Test func `count calls by method and status, with the sizes of their messages`() async throws {
        let store = HDRMetrics()
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let handler = MethodHandler.unary(Self.find) { request, _ in
            if request.bytes.isEmpty { throw RPCError(.notFound, "It is not there.") }
            return RawMessage(request.bytes + request.bytes)
        }
        let server = RPCServer(
            configuration: RPCServerConfiguration(host: "127.0.0.1", port: 0), services: [Things(handlers: [handler])], logger: quiet)
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { listening.finish() }
                try await server.run { _, port in listening.yield(port) }
            }
            let found = await ports.first(where: { _ in true })
            let port = try #require(found)
            let channel = RPCChannel(target: ("127.0.0.1", port), interceptors: [ClientMetrics(factory: store)], logger: quiet)
            _ = try await channel.unary(Self.find, RawMessage([1, 2, 3]))
            await #expect(throws: RPCError.self) { try await channel.unary(Self.find, RawMessage()) }
            await channel.close()
            // Nobody is asked any more.
            await #expect(throws: RPCError.self) { try await channel.unary(Self.find, RawMessage([1])) }
            server.beginGracefulShutdown()
            try await group.waitForAll()
        }

        let ok = series(store, .ok)
        #expect(ok[ClientMetrics.duration]?.count == 1)
        // Five bytes frame each.
        #expect(ok[ClientMetrics.requestSize]?.sum == 8)
        #expect(ok[ClientMetrics.responseSize]?.sum == 11)
        let notFound = series(store, .notFound)
        #expect(notFound[ClientMetrics.requestSize]?.sum == 5)
        #expect(notFound[ClientMetrics.responseSize]?.sum == 0)
        let unsent = series(store, .unavailable)
        #expect(unsent[ClientMetrics.duration]?.count == 1)
        #expect(unsent[ClientMetrics.requestSize] == nil)
    }
}
