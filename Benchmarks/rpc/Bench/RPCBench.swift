internal import ArgumentParser

/// What `make bench-rpc` measures of ours: a server of gRPC's benchmark service, and a client that calls it.
@main
struct RPCBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc-bench",
        abstract: "Serves and calls gRPC's benchmark service with HeartGuard's runtime.",
        subcommands: [ServeCommand.self, ClientCommand.self])
}
