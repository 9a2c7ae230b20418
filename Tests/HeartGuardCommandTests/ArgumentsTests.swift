internal import ArgumentParser
internal import Foundation
internal import Testing

@testable import HeartGuardCommand

@Suite struct `What is typed` {
    @Test(arguments: ["", "localhost", ":7443", "localhost:", "localhost:0", "localhost:65536", "localhost:99999999999999999999"])
    func `is refused as a place that is none`(text: String) {
        #expect(throws: (any Error).self) { try HealthCommand.parse([text, "--ca", "ca.crt"]) }
    }

    @Test func `is a host and a port`() throws {
        for (text, host) in [("localhost:7443", "localhost"), ("127.0.0.1:7443", "127.0.0.1"), ("[::1]:7443", "::1")] {
            let place = try HealthCommand.parse([text, "--ca", "ca.crt"]).place()
            #expect(place.host == host && place.port == 7443)
        }
    }

    @Test func `is a number of lines that is not negative`() throws {
        #expect(try LogsCommand.parse(["-n", "0"]).lines == 0)
        #expect(throws: (any Error).self) { try LogsCommand.parse(["--lines=-1"]) }
        #expect(throws: (any Error).self) { try LogsCommand.parse(["--lines=99999999999999999999"]) }
    }

    @Test func `is a service that has jobs`() throws {
        #expect(try JobsCommand.parse(["list", "--service", "chat"]).service == "chat")
        for other in ["gateway", "user", ""] {
            #expect(throws: (any Error).self) { try JobsCommand.parse(["list", "--service", other]) }
        }
    }

    @Test func `is the usual database and owner where a variable is empty`() throws {
        try withState { directory in
            try directory.write(Data("a password".utf8), to: directory.secret("owner"), mode: 0o600)

            let target = try MigrationTarget(
                environment: [
                    "HEARTGUARD_POSTGRES_HOST": "db", "HEARTGUARD_POSTGRES_DATABASE": "", "HEARTGUARD_POSTGRES_USER": "",
                    "HEARTGUARD_POSTGRES_PASSWORD_FILE": directory.secret("owner"),
                ], directory: directory)

            #expect("\(target.configuration(as: "test"))" == "heartguard_owner@db:5432/heartguard")
        }
    }

    @Test func `is shown whole, however long`() {
        #expect("postgres".padded(to: 14) == "postgres      ")
        #expect("MedicationStatement".padded(to: 14) == "MedicationStatement")
    }
}

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

    @Test func `has a port for an operator's tools, on loopback and for each service another`() throws {
        let all = try ServiceName.allCases.map { try variables($0, ["HEARTGUARD_OPERATOR_HOST": "0.0.0.0"]) }

        #expect(all.allSatisfy { $0["HEARTGUARD_OPERATOR_HOST"] == "127.0.0.1" })
        #expect(Set(all.map { $0["HEARTGUARD_OPERATOR_PORT"] }) == ["7200", "7201", "7202", "7203", "7204"])
    }

    @Test(arguments: ["VECTORS_SNAPSHOT_FOLDER", "VECTORS_ADDRESS", "POSTGRES_HOST", "LISTEN_PORT", "REDIS_CACHE_PASSWORD_FILE", "TOKEN_ISSUER"])
    func `has nothing of the caller's about where it finds the cluster`(name: String) throws {
        let own = try variables(.gateway, [:])["HEARTGUARD_\(name)"]
        #expect(try variables(.gateway, ["HEARTGUARD_\(name)": "elsewhere"])["HEARTGUARD_\(name)"] == own)
    }
}
