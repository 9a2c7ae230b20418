internal import Contracts
internal import RPC

/// grpc.health.v1 over the health of the program and its services. The names that it knows are those services' and "", the whole.
struct HealthService: GRPCHealthV1.HealthProtocol {
    let health: ServiceHealth

    func check(
        _ request: GRPCHealthV1.HealthCheckRequest, context: RPCContext
    ) async throws -> GRPCHealthV1.HealthCheckResponse {
        guard let status = health.reporter(of: request.service)?.status else {
            throw RPCError(.notFound, "This server has no service of that name.")
        }
        if case .notServing(let reason) = status { context.trailingMetadata.set("x-heartguard-reason", reason) }
        return GRPCHealthV1.HealthCheckResponse(status: .init(status))
    }

    func list(
        _ request: GRPCHealthV1.HealthListRequest, context: RPCContext
    ) async throws -> GRPCHealthV1.HealthListResponse {
        let statuses = health.names.union([""]).compactMap { name in
            health.reporter(of: name).map { (name, GRPCHealthV1.HealthCheckResponse(status: .init($0.status))) }
        }
        return .init(statuses: Dictionary(uniqueKeysWithValues: statuses))
    }

    func watch(
        _ request: GRPCHealthV1.HealthCheckRequest,
        responses: ResponseWriter<GRPCHealthV1.HealthCheckResponse>,
        context: RPCContext
    ) async throws {
        guard let reporter = health.reporter(of: request.service) else {
            try await responses.write(.init(status: .serviceUnknown))
            // The protocol keeps the call open for a service that may yet appear; here none does.
            for await _ in health.program.watch() {}
            return
        }
        for await status in reporter.watch() {
            try await responses.write(.init(status: .init(status)))
        }
    }
}

extension GRPCHealthV1.HealthCheckResponse.ServingStatus {
    init(_ status: HealthReporter.Status) {
        switch status {
        case .serving: self = .serving
        case .notServing: self = .notServing
        }
    }
}
