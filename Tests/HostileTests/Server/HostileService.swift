import RPC
import Synchronization

/// Methods that carry bytes. A request's first four bytes say, where it matters, how much to answer with.
struct HostileService: RPCService {
    static var serviceName: String { "hostile.Service" }

    private static let running = Mutex(0)

    private static func method(_ name: String, _ kind: CallKind) -> Method<RawMessage, RawMessage> {
        Method(
            MethodDescriptor(
                service: serviceName, name: name, kind: kind, policy: MethodPolicy(access: .anyone, timeout: .normal)))
    }

    private static func counted<Result>(_ body: () async throws -> Result) async throws -> Result {
        running.withLock { $0 += 1 }
        defer { running.withLock { $0 -= 1 } }
        return try await body()
    }

    private static func number(_ message: RawMessage) -> Int {
        message.bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    }

    var handlers: [MethodHandler] {
        [
            .unary(Self.method("Echo", .unary)) { request, _ in request },
            // How many handlers of the methods below are running.
            .unary(Self.method("Running", .unary)) { _, _ in
                let count = Self.running.withLock { $0 }
                return RawMessage([UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)])
            },
            .unary(Self.method("Answer", .unary)) { request, _ in
                RawMessage([UInt8](repeating: 7, count: Self.number(request)))
            },
            // Ends when the caller has gone.
            .unary(Self.method("Wait", .unary)) { request, _ in
                try await Self.counted {
                    try await Task.sleep(for: .seconds(600))
                    return request
                }
            },
            // Goes on for a while although the caller has gone.
            .unary(Self.method("Stubborn", .unary)) { request, _ in
                try await Self.counted {
                    await Task.detached { try? await Task.sleep(for: .seconds(3)) }.value  // Nobody cancels this sleep.
                    return request
                }
            },
            .clientStreaming(Self.method("Upload", .clientStreaming)) { requests, _ in
                try await Self.counted {
                    var last = RawMessage()
                    for try await request in requests { last = request }
                    return last
                }
            },
            // A thousand messages of so many bytes.
            .serverStreaming(Self.method("Download", .serverStreaming)) { request, responses, _ in
                try await Self.counted {
                    let message = RawMessage([UInt8](repeating: 7, count: Self.number(request)))
                    for _ in 0..<1_000 { try await responses.write(message) }
                }
            },
        ]
    }
}
