internal import InteropContracts
internal import Logging
internal import RPC

/// The server under test, and the ways to it.
struct TestServer: Sendable {
    let host: String
    let port: Int
    let authority: String?
    let tls: ClientTLS?
    let serviceConfig: ServiceConfig?
    let interceptors: [any ClientInterceptor]
    let soak: SoakOptions

    var uri: String { "\(host):\(port)" }

    /// A channel of its own for the time of `body`.
    func withChannel<Result: Sendable>(
        _ body: @Sendable (GRPCTesting.TestServiceClient) async throws -> Result
    ) async throws -> Result {
        try await withBareChannel { try await body(.init($0)) }
    }

    /// The same, for a body that asks about the channel as well.
    func withBareChannel<Result: Sendable>(
        _ body: @Sendable (RPCChannel) async throws -> Result
    ) async throws -> Result {
        let channel = makeChannel()
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body(channel)) } catch { outcome = .failure(error) }
        await channel.close()
        return try outcome.get()
    }

    func makeChannel() -> RPCChannel {
        var configuration = RPCChannelConfiguration()
        configuration.authority = authority
        configuration.serviceConfig = serviceConfig
        return RPCChannel(
            target: (host, port), tls: tls, configuration: configuration, interceptors: interceptors,
            logger: Logger(label: "interop-client"))
    }
}
