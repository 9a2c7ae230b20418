import GRPCCore
import GRPCNIOTransportHTTP2Posix
import NIOPosix

/// grpc-swift-2's part in `make bench-rpc`: a server that hands back the bytes of a request, and a client that calls it.
///
/// Usage: grpc-swift-bench serve PORT | grpc-swift-bench client PORT CONCURRENCY CALLS
@main
enum Main {
    static func main() async throws {
        let numbers = CommandLine.arguments.dropFirst(2).compactMap { Int($0) }
        switch (CommandLine.arguments.dropFirst().first, numbers.count) {
        case ("serve", 1): try await serve(port: numbers[0])
        case ("client", 3): try await BenchClient(port: numbers[0], concurrency: numbers[1]).run(calls: numbers[2])
        default: fatalError("usage: grpc-swift-bench serve PORT | client PORT CONCURRENCY CALLS")
        }
    }

    private static func serve(port: Int) async throws {
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: port), transportSecurity: .plaintext,
            // One thread, as for every server that is measured: they have one core.
            eventLoopGroup: MultiThreadedEventLoopGroup(numberOfThreads: 1))
        try await GRPCServer(transport: transport, services: [EchoService()]).serve()
    }
}
