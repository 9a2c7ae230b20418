import Application
import Contracts
import Foundation
import Logging
import RPC
import ServiceLifecycle
import TestSupport
import Time
import Tokens

@testable import Gateway

let quiet = Logger(label: "gateway-tests") { _ in SwiftLogNoOpLogHandler() }

/// A Redis, reached through a network that can be cut.
struct Store: Sendable {
    let server: RedisServer
    let network: DroppingProxy

    func lose(_ way: RedisServer.Loss) async throws { try await server.lose(way, network: network) }

    static func with(_ body: (Store) async throws -> Void) async throws {
        try await RedisServer.with { server in
            let network = try await DroppingProxy(to: server.port)
            let result: Result<Void, any Error>
            do { result = .success(try await body(Store(server: server, network: network))) } catch { result = .failure(error) }
            try await network.close()
            try result.get()
        }
    }
}

/// Several Gateways over the same stores, in front of services that answer what a test has them answer.
struct Gateways: Sendable {
    let channels: [RPCChannel]
    let durable: Store
    let cache: Store
    let signer: TokenSigner
    fileprivate let programs: [ServiceGroup]

    /// Asks a Gateway to finish, as SIGTERM does.
    func stop(_ gateway: Int = 0) async { await programs[gateway].triggerGracefulShutdown() }

    /// What a person shows who is signed in.
    func signedIn() async throws -> CallOptions {
        let claims = AccessClaims(subject: UUID(), role: .user, expiresAt: .now() + .seconds(3_600), sessionID: UUID())
        return CallOptions(metadata: ["authorization": "Bearer \(try await signer.sign(claims))"])
    }

    /// Makes a call with an empty request; the status that it ended with.
    func call(
        _ method: MethodDescriptor, of gateway: Int = 0, _ options: CallOptions = .init(), timeout: Duration? = nil
    ) async -> Result<Void, RPCError> {
        var options = options
        if let timeout { options.timeout = timeout }
        do throws(RPCError) {
            _ = try await channels[gateway].unary(Method<RawMessage, RawMessage>(method), RawMessage([]), options: options)
            return .success(())
        } catch {
            return .failure(error)
        }
    }
}

extension Result<Void, RPCError> {
    var code: StatusCode {
        switch self {
        case .success: .ok
        case .failure(let error): error.code
        }
    }

    var error: RPCError? {
        if case .failure(let error) = self { error } else { nil }
    }

    /// When the caller is told to come again.
    var retryDelay: Duration? {
        error?.detail(GoogleRPC.RetryInfo.self)?.retryDelay.map { .seconds($0.seconds) + .nanoseconds(Int64($0.nanos)) }
    }
}

/// Runs a service that answers every method of one package in the same way, and puts everything on record.
func withService<Value: Sendable>(
    _ backend: Backend, port: Int = 0,
    _ answer: @escaping @Sendable (MethodDescriptor) async throws -> Void = { _ in },
    _ body: @Sendable (_ port: Int) async throws -> Value
) async throws -> Value {
    let methods = ContractRegistry.methods.map(\.descriptor).filter { Backend(serving: $0) == backend }
    let handlers = methods.map { method in
        MethodHandler.unary(Method<RawMessage, RawMessage>(method)) { _, _ in
            try await answer(method)
            return RawMessage([])
        }
    }
    let intake = Method<RawMessage, RawMessage>(AuditV1.AuditIntakeServiceMethods.recordAccess.descriptor)
    return try await withService(port: port, answering: handlers + [.unary(intake) { _, _ in RawMessage([]) }], body)
}

/// Runs a service that answers these methods.
func withService<Value: Sendable>(
    port: Int = 0, answering handlers: [MethodHandler], _ body: @Sendable (_ port: Int) async throws -> Value
) async throws -> Value {
    let server = RPCServer(
        configuration: RPCServerConfiguration(host: "127.0.0.1", port: port), services: [AnyService(handlers: handlers)],
        logger: quiet)
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { listening.finish() }
            try await server.run { _, port in listening.yield(port) }
        }
        guard let port = await ports.first(where: { _ in true }) else { throw RPCError(.unavailable, "It did not start.") }
        let result: Result<Value, any Error>
        do { result = .success(try await body(port)) } catch { result = .failure(error) }
        group.cancelAll()
        return try result.get()
    }
}

private struct AnyService: RPCService {
    static let serviceName = "any"
    let handlers: [MethodHandler]
}

/// Runs Gateways with stores of their own, in front of services at these ports.
///
/// - Parameters:
///   - cutOff: a service that the first Gateway alone cannot reach.
///   - patience: see `JSONFront`.
func withGateways(
    _ count: Int, services: [Backend: Int], _ changes: [String: String] = [:], cutOff: Backend? = nil, patience: Duration = .seconds(60),
    _ body: @Sendable (Gateways) async throws -> Void
) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "heartguard-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let signer = try TokenSigner(privateKeyPEM: TokenSigner.newPrivateKeyPEM(), issuer: "heartguard")
    let jwks = folder.appending(path: "jwks")
    try signer.jwks.write(to: jwks, atomically: true, encoding: .utf8)

    try await Store.with { durable in
        try await Store.with { cache in
            var settings = [
                "HEARTGUARD_LISTEN_PORT": "0", "HEARTGUARD_JSON_PORT": "0", "HEARTGUARD_LOG_LEVEL": "critical",
                "HEARTGUARD_REDIS_DURABLE_HOST": "127.0.0.1", "HEARTGUARD_REDIS_DURABLE_PORT": "\(durable.network.port)",
                "HEARTGUARD_REDIS_CACHE_HOST": "127.0.0.1", "HEARTGUARD_REDIS_CACHE_PORT": "\(cache.network.port)",
                "HEARTGUARD_TOKEN_JWKS_FILE": jwks.path,
                // A busy machine is slow.
                "HEARTGUARD_RATE_PATIENCE_MS": "1000",
            ]
            for backend in Backend.allCases {
                let port = try services[backend] ?? FreePort.find()
                settings["HEARTGUARD_\(backend.rawValue.uppercased())_ADDRESS"] = "127.0.0.1:\(port)"
            }
            settings.merge(changes) { $1 }
            let environment = settings
            let (ports, listening) = AsyncStream.makeStream(of: Int.self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                var ports = ports.makeAsyncIterator()
                var channels: [RPCChannel] = []
                var programs: [ServiceGroup] = []
                for number in 0..<count {
                    var environment = environment
                    if let cutOff, number == 0 {
                        environment["HEARTGUARD_\(cutOff.rawValue.uppercased())_ADDRESS"] = "127.0.0.1:\(try FreePort.find())"
                    }
                    let application = GatewayApplication(try GatewayConfiguration(environment: environment), patience: patience)
                    let program = ServiceGroup(
                        services: [ClosureService { try await application.run(stopSignals: false) { _, port in listening.yield(port) } }],
                        logger: quiet)
                    group.addTask { try await program.run() }
                    programs.append(program)
                    guard let port = await ports.next() else { break }
                    channels.append(RPCChannel(target: (host: "127.0.0.1", port: port), logger: quiet))
                }
                let gateways = Gateways(channels: channels, durable: durable, cache: cache, signer: signer, programs: programs)
                let result: Result<Void, any Error>
                do { result = .success(try await body(gateways)) } catch { result = .failure(error) }
                for channel in channels { await channel.close() }
                group.cancelAll()
                try result.get()
            }
        }
    }
}
