internal import Foundation
internal import Postgres
internal import Redis
internal import Testing

@testable import HeartGuardCommand

@Suite struct `The ports of a cluster` {
    @Test func `are those that people know when they are free`() throws {
        let ports = try Ports(environment: [:], kept: nil, inUse: [], prefersKnownPorts: true) { _ in true }

        #expect(ports[.gateway] == 7443)
        #expect(ports[.json] == 8443)
        #expect(Set(Ports.Role.allCases.map { ports[$0] }).count == Ports.Role.allCases.count)
    }

    @Test func `stay the same while they are free`() throws {
        let first = try Ports(environment: [:], kept: nil, inUse: [], prefersKnownPorts: false) { _ in true }

        let second = try Ports(environment: [:], kept: first, inUse: [], prefersKnownPorts: true) { _ in true }

        #expect(second == first)
    }

    @Test func `are chosen anew where another program took one`() throws {
        let first = try Ports(environment: [:], kept: nil, inUse: [], prefersKnownPorts: false) { _ in true }

        let second = try Ports(environment: [:], kept: first, inUse: [], prefersKnownPorts: false) { $0 != first[.postgres] }

        #expect(second[.postgres] != first[.postgres])
        #expect(second[.gateway] == first[.gateway])
    }

    @Test func `are not looked for again while the cluster itself listens there`() throws {
        let first = try Ports(environment: [:], kept: nil, inUse: [], prefersKnownPorts: false) { _ in true }

        let second = try Ports(
            environment: ["HEARTGUARD_POSTGRES_PORT": "\(first[.postgres])"], kept: first, inUse: Set(Ports.Role.allCases),
            prefersKnownPorts: false) { _ in false }

        #expect(second == first)
    }

    @Test func `are refused in one sentence when a configured one is taken`() {
        #expect(throws: CommandFailure("port 7000 (HEARTGUARD_JSON_PORT) is taken by another program. Stop it or choose another port.")) {
            try Ports(environment: ["HEARTGUARD_JSON_PORT": "7000"], kept: nil, inUse: [], prefersKnownPorts: true) { $0 != 7000 }
        }
    }

    @Test(arguments: ["0", "65536", "http", "-1"]) func `are refused when one is no port`(text: String) {
        #expect(throws: CommandFailure.self) {
            try Ports(environment: ["HEARTGUARD_USERS_PORT": text], kept: nil, inUse: [], prefersKnownPorts: true) { _ in true }
        }
    }

    @Test(arguments: ["54x2", "0", "65536", " 5433"]) func `are refused of a store elsewhere when one is no port`(text: String) {
        let directory = StateDirectory("/nonexistent/heartguard")
        let postgres = ["HEARTGUARD_POSTGRES_HOST": "db", "HEARTGUARD_POSTGRES_PORT": text]
        let redis = ["HEARTGUARD_REDIS_DURABLE_HOST": "redis", "HEARTGUARD_REDIS_DURABLE_PORT": text]

        #expect(throws: CommandFailure("HEARTGUARD_POSTGRES_PORT is \"\(text)\", which is not a port number (1 to 65535).")) {
            try MigrationTarget(environment: postgres, directory: directory)
        }
        #expect(throws: CommandFailure("HEARTGUARD_REDIS_DURABLE_PORT is \"\(text)\", which is not a port number (1 to 65535).")) {
            try DurableRedis(environment: redis, directory: directory)
        }
    }

    @Test func `of a store elsewhere are spoken to as the environment says, or not at all`() throws {
        let directory = StateDirectory("/nonexistent/heartguard")
        let file = URL.temporaryDirectory.appending(path: "authority-\(UUID().uuidString)").path
        try Data("not-a-real-secret\n".utf8).write(to: URL(filePath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }  // A leftover in the temporary folder harms nobody.
        let postgres = ["HEARTGUARD_POSTGRES_HOST": "a,b", "HEARTGUARD_POSTGRES_PASSWORD_FILE": file, "HEARTGUARD_POSTGRES_CA_FILE": file]
        let redis = ["HEARTGUARD_REDIS_DURABLE_HOST": "redis", "HEARTGUARD_REDIS_DURABLE_USERNAME": "operator", "HEARTGUARD_REDIS_DURABLE_TLS": "on"]

        let configuration = try MigrationTarget(environment: postgres, directory: directory).configuration(as: "test")
        #expect(configuration.tls == .verified(rootCertificate: file))
        #expect(configuration.role == .primary)
        let ports = ["HEARTGUARD_POSTGRES_PORT": "5433,5434"]
        let apart = try MigrationTarget(environment: postgres.merging(ports) { $1 }, directory: directory).configuration(as: "test")
        #expect(apart.ports == [5433, 5434])
        let attributes = "HEARTGUARD_POSTGRES_TARGET_SESSION_ATTRS"
        let whichever = try MigrationTarget(environment: postgres.merging([attributes: "any"]) { $1 }, directory: directory).configuration(as: "test")
        #expect(whichever.role == .any)
        #expect(throws: CommandFailure("\(attributes) is not one of any, primary.")) {
            try MigrationTarget(environment: postgres.merging([attributes: "standby"]) { $1 }, directory: directory)
        }
        let shown = ["HEARTGUARD_POSTGRES_CERT_FILE": file, "HEARTGUARD_POSTGRES_KEY_FILE": file]
        let certified = try MigrationTarget(environment: postgres.merging(shown) { $1 }, directory: directory).configuration(as: "test")
        #expect(certified.clientCertificate?.certificate == file && certified.clientCertificate?.key == file)
        let durable = try DurableRedis(environment: redis, directory: directory).configuration
        #expect(durable.tls == RedisTLS())
        #expect(durable.username == "operator")
        #expect(throws: CommandFailure("HEARTGUARD_POSTGRES_SSLMODE has to be disable, require, or, with HEARTGUARD_POSTGRES_CA_FILE, verify-full or verify-ca.")) {
            try MigrationTarget(environment: postgres.merging(["HEARTGUARD_POSTGRES_SSLMODE": "prefer"]) { $1 }, directory: directory)
        }
        #expect(throws: CommandFailure("HEARTGUARD_REDIS_DURABLE_TLS has to be on or, without HEARTGUARD_REDIS_DURABLE_CA_FILE, off.")) {
            try DurableRedis(environment: redis.merging(["HEARTGUARD_REDIS_DURABLE_TLS": "1"]) { $1 }, directory: directory)
        }
    }

    @Test func `are refused when two programs are given the same`() {
        let environment = ["HEARTGUARD_USERS_PORT": "7000", "HEARTGUARD_CHAT_PORT": "7000"]

        #expect(throws: CommandFailure.self) {
            try Ports(environment: environment, kept: nil, inUse: [], prefersKnownPorts: true) { _ in true }
        }
    }

    @Test func `give way to a configured one among those that people know`() throws {
        let ports = try Ports(environment: ["HEARTGUARD_CHAT_PORT": "7443"], kept: nil, inUse: [], prefersKnownPorts: true) { _ in true }

        #expect(ports[.chat] == 7443)
        #expect(ports[.gateway] != 7443)
    }

    @Test(arguments: ["70000", "0", "-1", "9223372036854775807"]) func `are refused when one that was kept is no port`(number: String) {
        #expect(throws: CommandFailure("users is \(number), which is not a port number (1 to 65535).")) {
            try JSONDecoder().decode(Ports.self, from: Data("{\"users\": \(number)}".utf8))
        }
    }

    @Test func `survive being written and read`() throws {
        let ports = try Ports(environment: [:], kept: nil, inUse: [], prefersKnownPorts: true) { _ in true }

        let read = try JSONDecoder().decode(Ports.self, from: JSONEncoder().encode(ports))

        #expect(read == ports)
    }
}
