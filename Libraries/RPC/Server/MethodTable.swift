/// The methods of a server by their paths, each with the interceptors already around it.
struct MethodTable: Sendable {
    struct Entry: Sendable {
        let descriptor: MethodDescriptor
        let run: @Sendable (ServerCall, RPCContext) async throws -> Void
    }

    private var entries: [String: Entry] = [:]
    private var services: Set<String> = []

    init(_ offered: [any RPCService], interceptors: [any ServerInterceptor]) {
        for service in offered {
            services.insert(type(of: service).serviceName)
            for handler in service.handlers {
                let path = handler.descriptor.path
                precondition(entries[path] == nil, "two services of one server offer \(path)")
                entries[path] = Entry(
                    descriptor: handler.descriptor,
                    run: MethodTable.surround(handler.run, with: interceptors[...])
                )
            }
        }
    }

    func find(_ path: String) throws(RPCError) -> Entry {
        if let entry = entries[path] { return entry }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 3, services.contains(String(parts[1])) {
            throw RPCError(.unimplemented, "The service \(parts[1]) has no method \(parts[2]).")
        }
        throw RPCError(.unimplemented, "The server has no method \(path).")
    }

    private static func surround(
        _ run: @escaping @Sendable (ServerCall, RPCContext) async throws -> Void,
        with interceptors: ArraySlice<any ServerInterceptor>
    ) -> @Sendable (ServerCall, RPCContext) async throws -> Void {
        guard let interceptor = interceptors.first else { return run }
        let inner = surround(run, with: interceptors.dropFirst())
        return { call, context in
            try await interceptor.intercept(context) { try await inner(call, $0) }
        }
    }
}
