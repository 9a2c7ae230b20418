internal import Contracts
internal import RPC

/// grpc.health.v1 over the program's health. The names that it knows are the program's services and "", the whole.
struct HealthService: GRPCHealthV1.HealthProtocol {
    let names: Set<String>
    let health: HealthReporter

    func check(
        _ request: GRPCHealthV1.HealthCheckRequest, context: RPCContext
    ) async throws -> GRPCHealthV1.HealthCheckResponse {
        guard isKnown(request.service) else {
            throw RPCError(.notFound, "This server has no service of that name.")
        }
        let status = health.status
        if case .notServing(let reason) = status { context.trailingMetadata.set("x-heartguard-reason", reason) }
        return GRPCHealthV1.HealthCheckResponse(status: .init(status))
    }

    func list(
        _ request: GRPCHealthV1.HealthListRequest, context: RPCContext
    ) async throws -> GRPCHealthV1.HealthListResponse {
        let response = GRPCHealthV1.HealthCheckResponse(status: .init(health.status))
        return .init(statuses: Dictionary(uniqueKeysWithValues: names.union([""]).map { ($0, response) }))
    }

    func watch(
        _ request: GRPCHealthV1.HealthCheckRequest,
        responses: ResponseWriter<GRPCHealthV1.HealthCheckResponse>,
        context: RPCContext
    ) async throws {
        guard isKnown(request.service) else {
            try await responses.write(.init(status: .serviceUnknown))
            // The protocol keeps the call open for a service that may yet appear; here none does.
            for await _ in health.watch() {}
            return
        }
        for await status in health.watch() {
            try await responses.write(.init(status: .init(status)))
        }
    }

    private func isKnown(_ name: String) -> Bool { name.isEmpty || names.contains(name) }
}

extension GRPCHealthV1.HealthCheckResponse.ServingStatus {
    init(_ status: HealthReporter.Status) {
        switch status {
        case .serving: self = .serving
        case .notServing: self = .notServing
        }
    }
}
