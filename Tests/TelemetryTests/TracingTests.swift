import Instrumentation
import InMemoryTracing
import Logging
import RPC
import Synchronization
import Telemetry
import Testing
import Tracing

@Suite struct `A span of a call` {
    private static let canary = "canary-4711"

    private func serve(
        _ tracer: InMemoryTracer, metadata: Metadata = [:],
        _ handler: @Sendable (RPCContext) async throws -> Void = { _ in }
    ) async throws {
        let context = RPCContext(method: Calls.find, metadata: metadata)
        try await ServerTracing(tracer: tracer).intercept(context, next: handler)
    }

    @Test func `names the method and the status as OpenTelemetry does`() async throws {
        let tracer = InMemoryTracer()

        try await serve(tracer)

        let span = try #require(tracer.finishedSpans.first)
        #expect(span.operationName == "test.Things/Find")
        #expect(span.kind == .server)
        #expect(span.attributes.get("rpc.system.name") == .string("grpc"))
        #expect(span.attributes.get("rpc.method") == .string("test.Things/Find"))
        #expect(span.attributes.get("rpc.response.status_code") == .string("OK"))
        #expect(span.status == nil)
    }

    @Test(arguments: [
        (StatusCode.internalError, true), (.unavailable, true), (.deadlineExceeded, true), (.notFound, false),
        (.invalidArgument, false), (.cancelled, false),
    ])
    func `of a server has failed only where the fault may be the server's`(code: StatusCode, hasFailed: Bool) async throws {
        let tracer = InMemoryTracer()

        await #expect(throws: RPCError.self) { try await serve(tracer) { _ in throw RPCError(code, "No.") } }

        let span = try #require(tracer.finishedSpans.first)
        #expect(span.attributes.get("rpc.response.status_code") == .string(code.name))
        #expect((span.status?.code == .error) == hasFailed)
    }

    @Test func `holds nothing of what was sent, asked or went wrong`() async throws {
        let tracer = InMemoryTracer()
        let metadata: Metadata = ["authorization": "Bearer \(Self.canary)", "x-note": Self.canary]
        struct Leaky: Error { let text: String }

        await #expect(throws: (any Error).self) {
            try await serve(tracer, metadata: metadata) { _ in throw Leaky(text: Self.canary) }
        }
        await #expect(throws: (any Error).self) {
            try await serve(tracer, metadata: metadata) { _ in
                throw RPCError(.internalError, Self.canary, cause: Leaky(text: Self.canary))
            }
        }

        #expect(tracer.finishedSpans.count == 2)
        for span in tracer.finishedSpans {
            var text = span.operationName + "\(span.status as Any)"
            span.attributes.forEach { text += "\($0)=\($1)" }
            #expect(!text.contains(Self.canary))
            #expect(span.events.isEmpty && span.errors.isEmpty)
        }
    }

    @Test func `continues its caller's trace, from client to server`() async throws {
        let tracer = InMemoryTracer()
        let channelContext = Mutex<Metadata>([:])
        let loopback = CallCapture()

        try await loopback.call(through: ClientTracing(tracer: tracer)) { metadata in
            channelContext.withLock { $0 = metadata }
        }
        try await serve(tracer, metadata: channelContext.withLock { $0 })

        let client = try #require(tracer.finishedSpans.first { $0.kind == .client })
        let server = try #require(tracer.finishedSpans.first { $0.kind == .server })
        #expect(server.traceID == client.traceID)
        #expect(server.parentSpanID == client.spanID)
    }

    @Test func `is not recorded where the process has no tracer`() {
        #expect(ServerTracing() == nil)
        #expect(ClientTracing() == nil)
    }
}

/// Makes a call that ends where it would be sent, and shows what would have been.
private struct CallCapture {
    struct Captured: Error {}

    private struct Seeing: ClientInterceptor {
        let see: @Sendable (Metadata) -> Void

        func intercept(
            _ context: ClientCallContext, next: @Sendable (ClientCallContext) async throws -> Void
        ) async throws {
            see(context.metadata)
            throw Captured()
        }
    }

    func call(through interceptor: any ClientInterceptor, _ see: @escaping @Sendable (Metadata) -> Void) async throws {
        let channel = RPCChannel(
            target: ("127.0.0.1", 1), interceptors: [interceptor, Seeing(see: see)],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await #expect(throws: RPCError.self) { try await channel.unary(Method<RawMessage, RawMessage>(Calls.find), .init()) }
        await channel.close()
    }
}
