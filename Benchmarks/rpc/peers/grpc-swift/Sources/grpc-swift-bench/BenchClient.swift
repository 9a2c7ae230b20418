import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Glibc
import NIOPosix

/// Calls a server as fast as it answers, and prints what a call cost the client as one object of JSON.
struct BenchClient {
    let port: Int
    let concurrency: Int

    func run(calls: Int) async throws {
        let transport = try HTTP2ClientTransport.Posix(
            target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext,
            eventLoopGroup: MultiThreadedEventLoopGroup(numberOfThreads: 1))
        try await withGRPCClient(transport: transport) { client in
            try await call(client, count: calls / 10)
            let start = ContinuousClock.now
            let processTime = Self.processTime
            try await call(client, count: calls)
            let spent = (Self.processTime - processTime) / .microseconds(1)
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            let made = calls / concurrency * concurrency
            print("{\"calls\": \(made), \"seconds\": \(seconds), \"cpu_us_per_call\": \(spent / Double(made))}")
        }
    }

    private func call(_ client: GRPCClient<HTTP2ClientTransport.Posix>, count: Int) async throws {
        let message = [0x1a, 0x66, 0x12, 0x64] + [UInt8](repeating: UInt8(ascii: "x"), count: 100)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<concurrency {
                group.addTask {
                    for _ in 0..<count / concurrency {
                        let answer = try await client.unary(
                            request: ClientRequest(message: message), descriptor: EchoService.unaryCall,
                            serializer: BytesCoding(), deserializer: BytesCoding(), options: .defaults
                        ) { try $0.message }
                        guard answer == message else { throw RPCError(code: .dataLoss, message: "not what was sent") }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private static var processTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
