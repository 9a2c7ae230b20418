import RPC
import Synchronization

/// How many handlers are running, and how often a connection ended.
final class HandlerCounts: Sendable {
    let running = Mutex(0)
    let connectionsEnded = Mutex(0)
}

/// A method of every kind, and one whose handler ends only when it is cancelled.
struct EchoService: RPCService {
    static var serviceName: String { "fuzz.Echo" }

    let handlers: [MethodHandler]

    init(_ counts: HandlerCounts) {
        func method(_ name: String, _ kind: CallKind) -> Method<RawMessage, RawMessage> {
            Method(MethodDescriptor(service: "fuzz.Echo", name: name, kind: kind, policy: MethodPolicy(access: .anyone)))
        }
        @Sendable func counted<Result>(_ body: () async throws -> Result) async throws -> Result {
            counts.running.withLock { $0 += 1 }
            defer { counts.running.withLock { $0 -= 1 } }
            return try await body()
        }
        handlers = [
            .unary(method("Unary", .unary)) { request, context in
                try await counted {
                    if request.bytes.first == 0xff { throw RPCError(.aborted, "Fuzzed: \(request.bytes.count)") }
                    if request.bytes.first == 0xfe { context.trailingMetadata.set("grpc-odd", "1") }
                    return request
                }
            },
            .clientStreaming(method("Upload", .clientStreaming)) { requests, _ in
                try await counted {
                    var count = 0
                    for try await request in requests { count += request.bytes.count }
                    return RawMessage([UInt8(truncatingIfNeeded: count)])
                }
            },
            .serverStreaming(method("Download", .serverStreaming)) { request, responses, _ in
                try await counted {
                    let size = Int(request.bytes.first ?? 1) * 200
                    for _ in 0..<Int(request.bytes.last ?? 1) {
                        try await responses.write(RawMessage([UInt8](repeating: 7, count: size)))
                    }
                }
            },
            .bidirectional(method("Both", .bidirectional)) { requests, responses, _ in
                try await counted {
                    for try await request in requests { try await responses.write(request) }
                }
            },
            .unary(method("Wait", .unary)) { request, _ in
                try await counted {
                    await untilCancelled()
                    return request
                }
            },
        ]
    }
}

/// Returns when its task is cancelled.
private func untilCancelled() async {
    let (never, continuation) = AsyncStream.makeStream(of: Void.self)
    for await _ in never {}
    continuation.finish()
}
