internal import HTTP2

/// The methods of a server by their paths, each with the interceptors already around it.
struct MethodTable: Sendable {
    final class Entry: Sendable {
        let descriptor: MethodDescriptor
        let run: @Sendable (any HandledCall, RPCContext) async throws -> Void
        /// What hears of each call's end; empty when nobody observes the server.
        let meters: [any CallMeter]
        fileprivate let path: [UInt8]

        init(
            _ descriptor: MethodDescriptor,
            run: @escaping @Sendable (any HandledCall, RPCContext) async throws -> Void,
            meters: [any CallMeter]
        ) {
            self.descriptor = descriptor
            self.run = run
            self.meters = meters
            self.path = Array(descriptor.path.utf8)
        }
    }

    /// A hash table with open addressing, at most half full. Only our own methods are in it, so nobody outside can make
    /// it slow.
    private var slots: [Entry?]
    private var services: Set<String> = []
    /// What hears of calls that reach no method.
    private let otherMeters: [any CallMeter]

    init(_ offered: [any RPCService], interceptors: [any ServerInterceptor], observers: [any RPCObserver] = []) {
        otherMeters = observers.map { $0.meter(of: nil) }
        let handlers = offered.flatMap(\.handlers)
        var capacity = 8
        while capacity < handlers.count * 2 { capacity *= 2 }
        slots = Array(repeating: nil, count: capacity)
        for service in offered { services.insert(type(of: service).serviceName) }
        for handler in handlers {
            let entry = Entry(
                handler.descriptor,
                run: MethodTable.packing(handler, MethodTable.surround(handler, with: interceptors[...])),
                meters: observers.map { $0.meter(of: handler.descriptor) }
            )
            let path = entry.path
            let slot = unsafe slot(of: path.span.bytes)
            precondition(slots[slot] == nil, "two services of one server offer \(handler.descriptor.path)")
            slots[slot] = entry
        }
    }

    func find(_ path: RawSpan) -> Entry? { slots[slot(of: path)] }

    /// What to tell a caller of a path that was not found.
    func unknown(_ path: String) -> RPCError {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 3, services.contains(String(parts[1])) {
            return RPCError(.unimplemented, "The service \(parts[1]) has no method \(parts[2]).")
        }
        return RPCError(.unimplemented, "The server has no method \(path).")
    }

    /// Where the path is, or the free place where it would be.
    private func slot(of path: RawSpan) -> Int {
        let mask = slots.count - 1
        var slot = MethodTable.hash(path) & mask
        while let entry = slots[slot] {
            if path.equals(entry.path) { break }
            slot = (slot + 1) & mask
        }
        return slot
    }

    /// Methods of one service differ at their ends.
    private static func hash(_ path: RawSpan) -> Int {
        let count = path.byteCount
        guard count >= 16 else { return count }
        let last = unsafe path.unsafeLoadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
        let before = unsafe path.unsafeLoadUnaligned(fromByteOffset: count - 16, as: UInt64.self)
        let mixed = (last ^ UInt64(count)) &* 0x9E37_79B9_7F4A_7C15 ^ before &* 0xC2B2_AE3D_27D4_EB4F
        return Int(truncatingIfNeeded: mixed >> 32)
    }

    var isObserved: Bool { !otherMeters.isEmpty }

    /// Reports a request that became no call.
    func count(_ refusal: RequestHead.Refusal, from peer: String, trace: @autoclosure () -> TraceContext) {
        guard isObserved else { return }
        let error =
            switch refusal {
            case .status(let error): error
            // gRPC's http-grpc-status-mapping.md makes UNKNOWN of what is answered here.
            case .http(let status): RPCError(.unknown, "The request is not gRPC (HTTP \(status)).")
            }
        let record = CallRecord(
            context: nil, peer: peer, error: error, duration: .zero, requestBytes: 0, responseBytes: 0, trace: trace())
        for meter in otherMeters { meter.ended(record) }
    }

    private typealias Run = @Sendable (any HandledCall, RPCContext) async throws -> Void

    private static func surround(_ handler: MethodHandler, with interceptors: ArraySlice<any ServerInterceptor>) -> Run {
        guard let interceptor = interceptors.first else { return handler.run }
        let inner = surround(handler, with: interceptors.dropFirst())
        if let interceptor = interceptor as? any UnaryInterceptor, let rewrite = handler.rewrite {
            return { call, context in
                try await interceptor.intercept(context, UnaryExchange(call: call, rewrite: rewrite)) { try await inner(call, $0) }
            }
        }
        return { call, context in
            try await interceptor.intercept(context) { try await inner(call, $0) }
        }
    }

    /// Packs the one message of an answer when everybody has seen it.
    private static func packing(_ handler: MethodHandler, _ run: @escaping Run) -> Run {
        guard handler.descriptor.kind.hasSingleResponse else { return run }
        return { call, context in
            try await run(call, context)
            if call.packsResponses(nil) { await call.packSingleResponse() }
        }
    }
}
