internal import Application
internal import ArgumentParser
internal import Logging
internal import RPC
internal import Telemetry

/// Serves until it is killed.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves grpc.testing.BenchmarkService on 127.0.0.1, without TLS.")

    /// How much of what a service runs is in the way of a call.
    enum Outfit: String, EnumerableFlag {
        case bare
        case full

        static func help(for value: Outfit) -> ArgumentHelp? {
            switch value {
            case .bare: "Hand the bytes back unread, past no interceptor."
            case .full: "Decode and encode contracts, behind the interceptors of every service."
            }
        }
    }

    @Flag var outfit = Outfit.full

    @Option(help: "The port; 0 lets the system choose.")
    var port: Int

    @Option(help: "Event loops, each with a thread of its own.")
    var threads = 1

    func run() async throws {
        if outfit == .full { Allocator.keepMessageMemory() }
        var configuration = RPCServerConfiguration(host: "127.0.0.1", port: port)
        configuration.eventLoopThreads = threads
        let logger = Logger(label: "rpc-bench") { JSONLogHandler(label: $0) }
        let server =
            switch outfit {
            case .bare: RPCServer(configuration: configuration, services: [BareService()], logger: logger)
            case .full:
                RPCServer(
                    configuration: configuration, services: [FullService()],
                    interceptors: CallInterceptors.standard(),
                    observers: CallObservers.standard(metrics: HDRMetrics(), logger: logger), logger: logger)
            }
        try await server.run { host, port in
            logger.notice("listening", metadata: ["host": "\(host)", "port": "\(port)"])
        }
    }
}
