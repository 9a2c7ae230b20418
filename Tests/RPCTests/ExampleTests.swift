import Logging
import RPC
import Synchronization
import Testing

// The code of docs/libraries/RPC.md.

struct Words: Message {
    static var fullName: String { "example.Words" }
    var text: String

    init(_ text: String) { self.text = text }
    init(decoding bytes: RawSpan) throws(MalformedMessage) {
        text = String(decoding: [UInt8](copying: bytes), as: UTF8.self)
    }
    func encode(_ write: (Int, (UnsafeMutableRawBufferPointer) -> Void) -> Void) throws(MalformedMessage) {
        unsafe write(text.utf8.count) { place in unsafe place.copyBytes(from: text.utf8) }
    }
}

enum Speaking {
    static let policy = MethodPolicy(access: .anyone, timeout: .slow)
    static let greet = Method<Words, Words>(
        MethodDescriptor(service: "example.Speaking", name: "Greet", kind: .unary, policy: policy)
    )
    static let count = Method<Words, Words>(
        MethodDescriptor(service: "example.Speaking", name: "Count", kind: .serverStreaming, policy: policy)
    )
}

struct SpeakingService: RPCService {
    static var serviceName: String { "example.Speaking" }

    var handlers: [MethodHandler] {
        [
            .unary(Speaking.greet) { request, context in
                guard !request.text.isEmpty else { throw RPCError(.invalidArgument, "A name is needed.") }
                context.trailingMetadata.set("x-served-by", "example")
                return Words("Hello, \(request.text)!")
            },
            .serverStreaming(Speaking.count) { request, responses, context in
                for number in 1...3 { try await responses.write(Words("\(request.text) \(number)")) }
            },
        ]
    }
}

struct Counting: ServerInterceptor {
    let calls: CallCounter

    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        calls.count(context.method.path)
        try await next(context)
    }
}

final class CallCounter: Sendable {
    private let counts = Mutex<[String: Int]>([:])
    func count(_ path: String) { counts.withLock { $0[path, default: 0] += 1 } }
    subscript(_ path: String) -> Int { counts.withLock { $0[path, default: 0] } }
}

@Suite struct `The example of the documentation` {
    @Test func `does what it says`() async throws {
        let logger = Logger(label: "example") { _ in SwiftLogNoOpLogHandler() }
        let calls = CallCounter()
        let server = RPCServer(
            configuration: RPCServerConfiguration(host: "127.0.0.1", port: 0),
            services: [SpeakingService()],
            interceptors: [Counting(calls: calls)],
            logger: logger
        )
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.run { _, port in listening.yield(port) } }
            let port = try #require(await ports.first { _ in true })
            let channel = RPCChannel(target: ("127.0.0.1", port), logger: logger)

            let answer = try await channel.unary(Speaking.greet, Words("Ada"), options: CallOptions(timeout: .seconds(30)))
            let texts = try await channel.serverStreaming(Speaking.count, Words("n")) { responses in
                var texts: [String] = []
                for try await response in responses { texts.append(response.text) }
                return texts
            }
            let error = await #expect(throws: RPCError.self) { try await channel.unary(Speaking.greet, Words("")) }

            #expect(answer.text == "Hello, Ada!")
            #expect(texts == ["n 1", "n 2", "n 3"])
            #expect(error?.code == .invalidArgument)
            #expect(calls["/example.Speaking/Greet"] == 2)

            await channel.close()
            server.beginGracefulShutdown()
            try await group.waitForAll()
        }
    }
}

@Suite struct `The example of several servers` {
    @Test func `does what it says`() async throws {
        let logger = Logger(label: "example") { _ in SwiftLogNoOpLogHandler() }
        var configuration = RPCChannelConfiguration()
        configuration.serviceConfig = try ServiceConfig(json: """
            {
              "loadBalancingConfig": [{"outlier_detection": {
                "failurePercentageEjection": {"minimumHosts": 2},
                "childPolicy": [{"least_request_experimental": {}}]
              }}],
              "methodConfig": [{
                "name": [{"service": "example.Speaking"}], "waitForReady": true, "timeout": "10s",
                "retryPolicy": {
                  "maxAttempts": 3, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
                  "retryableStatusCodes": ["UNAVAILABLE"]
                }
              }],
              "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1}
            }
            """)
        let channel = RPCChannel(
            target: .addresses([RPCAddress(host: "10.0.0.1", port: 7443), RPCAddress(host: "10.0.0.2", port: 7443)]),
            configuration: configuration, logger: logger)

        #expect(configuration.serviceConfig?.methods.count == 1)
        #expect(await channel.state() == .idle)
        await channel.close()
    }
}
