internal import ArgumentParser
internal import BenchmarkContracts
internal import BenchmarkSupport
internal import Contracts
internal import Logging
internal import RPC

/// Calls a server as fast as it answers, and says what a call cost the client.
struct ClientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client", abstract: "Calls UnaryCall on 127.0.0.1 over one connection; prints one object of JSON.")

    @Option(help: "The server's port.")
    var port: Int

    @Option(help: "Calls open at a time.")
    var concurrency = 1

    @Option(help: "Calls to measure; a tenth as many come first, unmeasured.")
    var calls = 100_000

    @Option(help: "Bytes of payload in each call.")
    var payload = 100

    @Flag(help: "Call from threads of Swift's own instead of from the connection's event loop, where handlers run.")
    var elsewhere = false

    func run() async throws {
        let channel = RPCChannel(target: (host: "127.0.0.1", port: port), logger: Logger(label: "rpc-bench"))
        let request = GRPCTesting.SimpleRequest(
            payload: GRPCTesting.Payload(body: [UInt8](repeating: UInt8(ascii: "x"), count: payload)))
        try await call(channel, request, count: calls / 10)

        let start = ContinuousClock.now
        let processTime = ProcessTime.now
        try await call(channel, request, count: calls)
        let spent = (ProcessTime.now - processTime) / .microseconds(1)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        await channel.close()

        let made = calls / concurrency * concurrency
        print("{\"calls\": \(made), \"seconds\": \(seconds), \"cpu_us_per_call\": \(spent / Double(made))}")
    }

    private func call(_ channel: RPCChannel, _ request: GRPCTesting.SimpleRequest, count: Int) async throws {
        let client = GRPCTesting.BenchmarkServiceClient(channel)
        let body = request.payload
        try await withThrowingTaskGroup { group in
            for _ in 0..<concurrency {
                group.addTask(executorPreference: elsewhere ? nil : channel.taskExecutor) { [count = count / concurrency] in
                    for _ in 0..<count {
                        guard try await client.unaryCall(request).payload == body else {
                            throw RPCError(.dataLoss, "The answer is not what was sent.")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
