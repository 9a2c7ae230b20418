import Logging
import RPC
import Synchronization

/// Runs a server on a free port of the loopback interface, with a channel to it, for the time of `body`.
func withLoopback<Result: Sendable>(
    _ handlers: [MethodHandler],
    server configure: (inout RPCServerConfiguration) -> Void = { _ in },
    channel configureChannel: (inout RPCChannelConfiguration) -> Void = { _ in },
    serverInterceptors: [any ServerInterceptor] = [],
    observers: [any RPCObserver] = [],
    clientInterceptors: [any ClientInterceptor] = [],
    clientTLS: ClientTLS? = nil,
    logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
    _ body: @Sendable (Loopback) async throws -> Result
) async throws -> Result {
    var configuration = RPCServerConfiguration(host: "127.0.0.1", port: 0)
    configuration.drainTimeout = .seconds(60)
    configure(&configuration)
    var channelConfiguration = RPCChannelConfiguration()
    configureChannel(&channelConfiguration)
    let server = RPCServer(
        configuration: configuration,
        services: [NotesService(handlers: handlers)],
        interceptors: serverInterceptors,
        observers: observers,
        logger: logger
    )
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    return try await withThrowingTaskGroup { group in
        group.addTask {
            defer { listening.finish() }
            try await server.run { _, port in listening.yield(port) }
        }
        guard let port = await ports.first(where: { _ in true }) else {
            try await group.waitForAll()
            throw RPCError(.unavailable, "The server did not start.")
        }
        let channel = RPCChannel(
            target: ("127.0.0.1", port),
            tls: clientTLS,
            configuration: channelConfiguration,
            interceptors: clientInterceptors,
            logger: logger
        )
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body(Loopback(server: server, channel: channel, port: port))) } catch {
            outcome = .failure(error)
        }
        await channel.close()
        server.beginGracefulShutdown()
        try await group.waitForAll()
        return try outcome.get()
    }
}

struct Loopback: Sendable {
    let server: RPCServer
    let channel: RPCChannel
    let port: Int
}

/// Something that happens once, for others to wait for.
struct Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    }

    func fire() {
        continuation.finish()
    }

    func wait() async {
        for await _ in stream {}
    }
}

/// Counts from wherever it is seen.
final class Counter: Sendable {
    private let count = Mutex(0)

    @discardableResult
    func increment() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }

    var value: Int { count.withLock { $0 } }
}
