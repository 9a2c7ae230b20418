internal import Testing

@testable import HeartGuardCommand

@Suite struct `The environment of a service` {
    private func variables(_ service: ServiceName, _ environment: [String: String]) throws -> [String: String] {
        let ports = try Ports(environment: [:], kept: nil, inUse: [], prefersKnownPorts: true) { _ in true }
        return ServicePlan(directory: StateDirectory("/nonexistent/heartguard"), ports: ports, binaries: "", environment: environment).variables(service)
    }

    @Test(arguments: [
        "VECTORS_EF_SEARCH", "VECTORS_EF_CONSTRUCTION", "VECTORS_M", "VECTORS_SEARCH_THREADS", "BREAKER_MIN_CALLS", "SERVICE_MAX_STREAMS", "IDEMPOTENCY_HOURS",
        "APPOINTMENT_HOLD_SECONDS", "RATE_LIMIT_USER",
    ]) func `has what the caller says of how it works`(name: String) throws {
        #expect(try variables(.vectors, ["HEARTGUARD_\(name)": "7"])["HEARTGUARD_\(name)"] == "7")
    }

    @Test(arguments: ["VECTORS_SNAPSHOT_FOLDER", "VECTORS_ADDRESS", "POSTGRES_HOST", "LISTEN_PORT", "REDIS_CACHE_PASSWORD_FILE", "TOKEN_ISSUER"])
    func `has nothing of the caller's about where it finds the cluster`(name: String) throws {
        let own = try variables(.gateway, [:])["HEARTGUARD_\(name)"]
        #expect(try variables(.gateway, ["HEARTGUARD_\(name)": "elsewhere"])["HEARTGUARD_\(name)"] == own)
    }
}
