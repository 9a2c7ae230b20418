import ConnectionPool
import Foundation
import Logging
import Postgres
import Telemetry
import Testing

@testable import Application

@Suite struct `Where a service's records are` {
    /// The settings besides those that are given are those of a cluster without pooler or replicas.
    private func read(_ given: [String: String]) throws -> PostgresSettings {
        let path = FileManager.default.temporaryDirectory.appending(path: "setting-\(UUID().uuidString)").path
        try "not-a-real-secret\n".write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }  // A leftover in the temporary folder harms nobody.
        let common = ["HEARTGUARD_POSTGRES_HOST": "db", "HEARTGUARD_POSTGRES_PASSWORD_FILE": path]
        var settings = Settings(environment: common.merging(given) { $1 })
        let read = PostgresSettings(service: "vitals", from: &settings)
        try settings.finish()
        return read
    }

    @Test func `is one server, whose sessions remember, unless something else is said`() throws {
        let settings = try read([:])

        #expect("\(settings.primary)" == "heartguard_vitals@db:5432/heartguard")
        #expect(settings.primary.preparesStatements)
        #expect(settings.primary.role == .any)
        #expect(settings.replicas == nil)
    }

    @Test func `may be behind a pooler that lends sessions by the transaction`() throws {
        let settings = try read([
            "HEARTGUARD_POSTGRES_POOLING": "transaction", "HEARTGUARD_POSTGRES_REPLICAS": "replica",
        ])

        #expect(!settings.primary.preparesStatements)
        #expect(settings.replicas?.preparesStatements == false)
    }

    @Test func `may be several servers, of which the primary will do`() throws {
        let settings = try read(["HEARTGUARD_POSTGRES_HOST": "a,b"])

        #expect(settings.primary.host == "a,b")
        #expect(settings.primary.role == .primary)
    }

    @Test func `may be several servers, each with a port of its own, as libpq has them`() throws {
        let settings = try read([
            "HEARTGUARD_POSTGRES_HOST": "a,b", "HEARTGUARD_POSTGRES_PORT": "5433,5434", "HEARTGUARD_POSTGRES_REPLICAS": "r",
        ])

        #expect(settings.primary.ports == [5433, 5434])
        #expect("\(settings.primary)" == "heartguard_vitals@a:5433,b:5434/heartguard")
        #expect(settings.replicas?.ports == [5433])
        let sentence = "HEARTGUARD_POSTGRES_PORT has to be one port, or a port for each host of HEARTGUARD_POSTGRES_HOST, parted by commas."
        for ports in ["5433,5434,5435", "5433,", "5433,x", "5433,0"] {
            #expect(throws: SettingsError(problems: [sentence])) {
                try read(["HEARTGUARD_POSTGRES_HOST": "a,b", "HEARTGUARD_POSTGRES_PORT": ports])
            }
        }
    }

    @Test func `may be reached through TLS, as libpq names it`() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "root-\(UUID().uuidString).pem").path
        try "a certificate\n".write(toFile: root, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: root) }  // A leftover in the temporary folder harms nobody.

        #expect(try read([:]).primary.tls == .disabled)
        #expect(try read(["HEARTGUARD_POSTGRES_SSLMODE": "require"]).primary.tls == .required)
        #expect(try read(["HEARTGUARD_POSTGRES_CA_FILE": root]).primary.tls == .verified(rootCertificate: root))
        let both = try read([
            "HEARTGUARD_POSTGRES_SSLMODE": "verify-full", "HEARTGUARD_POSTGRES_CA_FILE": root, "HEARTGUARD_POSTGRES_REPLICAS": "replica",
        ])
        #expect(both.replicas?.tls == .verified(rootCertificate: root))
        let issuer = try read(["HEARTGUARD_POSTGRES_SSLMODE": "verify-ca", "HEARTGUARD_POSTGRES_CA_FILE": root])
        #expect(issuer.primary.tls == .issuerVerified(rootCertificate: root))
        let sentence = "HEARTGUARD_POSTGRES_SSLMODE has to be disable, require, or, with HEARTGUARD_POSTGRES_CA_FILE, verify-full or verify-ca."
        // Who gives an authority wants it asked.
        for mode in ["disable", "require", "prefer"] {
            #expect(throws: SettingsError(problems: [sentence])) {
                try read(["HEARTGUARD_POSTGRES_SSLMODE": mode, "HEARTGUARD_POSTGRES_CA_FILE": root])
            }
        }
    }

    @Test func `may ask for a certificate of the service, which then needs no password`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "client-\(UUID().uuidString).pem").path
        try "a certificate\n".write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }  // A leftover in the temporary folder harms nobody.
        let files = ["HEARTGUARD_POSTGRES_CERT_FILE": file, "HEARTGUARD_POSTGRES_KEY_FILE": file]
        let all = files.merging(["HEARTGUARD_POSTGRES_CA_FILE": file, "HEARTGUARD_POSTGRES_REPLICAS": "replica"]) { $1 }

        let settings = try read(all.merging(["HEARTGUARD_POSTGRES_PASSWORD_FILE": ""]) { $1 })

        #expect(settings.primary.password == nil)
        for configuration in [settings.primary, settings.replicas] {
            #expect(configuration?.clientCertificate?.certificate == file && configuration?.clientCertificate?.key == file)
        }
        #expect(try read(all).primary.password == "not-a-real-secret")
        let sentence = "HEARTGUARD_POSTGRES_CERT_FILE and HEARTGUARD_POSTGRES_KEY_FILE have to be given together, and with TLS."
        #expect(throws: SettingsError(problems: [sentence])) { try read(files) }
        #expect(throws: SettingsError(problems: [sentence])) {
            try read(all.merging(["HEARTGUARD_POSTGRES_KEY_FILE": ""]) { $1 })
        }
    }

    @Test func `may be read from replicas, through a pool of their own`() throws {
        let settings = try read([
            "HEARTGUARD_POSTGRES_REPLICAS": "r1,r2:5433,db", "HEARTGUARD_POSTGRES_PORT": "6000",
            "HEARTGUARD_POSTGRES_POOL_MAX": "20", "HEARTGUARD_POSTGRES_REPLICAS_POOL_MIN": "1",
            "HEARTGUARD_POSTGRES_REPLICAS_POOL_MAX": "4",
        ])

        let replicas = try #require(settings.replicas)
        #expect(replicas.host == "r1,r2,db")
        #expect(replicas.ports == [6000, 5433, 6000])
        #expect(replicas.role == .preferStandby)
        #expect(replicas.user == "heartguard_vitals")
        #expect(replicas.pool.minimumConnections == 1)
        #expect(replicas.pool.maximumConnections == 4)
        #expect(settings.primary.pool.maximumConnections == 20)
    }

    @Test func `may be asked what it is, pool by pool, as libpq names it`() throws {
        let settings = try read([
            "HEARTGUARD_POSTGRES_TARGET_SESSION_ATTRS": "primary", "HEARTGUARD_POSTGRES_REPLICAS": "r1,r2",
            "HEARTGUARD_POSTGRES_REPLICAS_TARGET_SESSION_ATTRS": "standby",
        ])
        let whichever = try read([
            "HEARTGUARD_POSTGRES_HOST": "a,b", "HEARTGUARD_POSTGRES_TARGET_SESSION_ATTRS": "any", "HEARTGUARD_POSTGRES_REPLICAS": "r",
        ])

        #expect(settings.primary.role == .primary && settings.replicas?.role == .standby)
        // Each pool has its own.
        #expect(whichever.primary.role == .any && whichever.replicas?.role == .preferStandby)
        for name in ["read-only", "primary", "Standby"] {
            let sentence = "HEARTGUARD_POSTGRES_REPLICAS_TARGET_SESSION_ATTRS is not one of any, standby, prefer-standby."
            #expect(throws: SettingsError(problems: [sentence])) {
                try read(["HEARTGUARD_POSTGRES_REPLICAS": "r", "HEARTGUARD_POSTGRES_REPLICAS_TARGET_SESSION_ATTRS": name])
            }
        }
    }

    @Test(arguments: [
        ("HEARTGUARD_POSTGRES_TARGET_SESSION_ATTRS", "read-write", "HEARTGUARD_POSTGRES_TARGET_SESSION_ATTRS is not one of any, primary."),
        ("HEARTGUARD_POSTGRES_TARGET_SESSION_ATTRS", "standby", "HEARTGUARD_POSTGRES_TARGET_SESSION_ATTRS is not one of any, primary."),
        ("HEARTGUARD_POSTGRES_REPLICAS_TARGET_SESSION_ATTRS", "standby", """
            HEARTGUARD_POSTGRES_REPLICAS_TARGET_SESSION_ATTRS is set, and HEARTGUARD_POSTGRES_REPLICAS is not.
            """),
        ("HEARTGUARD_POSTGRES_POOLING", "pgbouncer", "HEARTGUARD_POSTGRES_POOLING is not one of session, transaction."),
        ("HEARTGUARD_POSTGRES_POOLING", "statement", """
            HEARTGUARD_POSTGRES_POOLING is statement, but a pooler in that mode refuses transactions, which every write needs.
            """),
        ("HEARTGUARD_POSTGRES_REPLICAS", "r1:x", """
            HEARTGUARD_POSTGRES_REPLICAS is not a list of 1 to 16 hosts, parted by commas, each of the form host or host:port.
            """),
        ("HEARTGUARD_POSTGRES_REPLICAS_POOL_MAX", "5", """
            HEARTGUARD_POSTGRES_REPLICAS_POOL_MAX is set, and HEARTGUARD_POSTGRES_REPLICAS is not.
            """),
        ("HEARTGUARD_POSTGRES_SSLMODE", "verify-full", """
            HEARTGUARD_POSTGRES_SSLMODE has to be disable, require, or, with HEARTGUARD_POSTGRES_CA_FILE, verify-full or verify-ca.
            """),
        ("HEARTGUARD_POSTGRES_SSLMODE", "prefer", """
            HEARTGUARD_POSTGRES_SSLMODE has to be disable, require, or, with HEARTGUARD_POSTGRES_CA_FILE, verify-full or verify-ca.
            """),
        ("HEARTGUARD_POSTGRES_CA_FILE", "/nowhere/ca.pem", """
            HEARTGUARD_POSTGRES_CA_FILE names the file /nowhere/ca.pem, which cannot be read.
            """),
        ("HEARTGUARD_POSTGRES_POOL_MIN", "11", "HEARTGUARD_POSTGRES_POOL_MIN is larger than HEARTGUARD_POSTGRES_POOL_MAX."),
    ])
    func `is refused with a sentence when it makes no sense`(_ variable: String, _ value: String, _ sentence: String) {
        #expect(throws: SettingsError(problems: [sentence])) { try read([variable: value]) }
    }

    @Test func `is watched pool by pool`() {
        let primary = PostgresConfiguration(host: "db", database: "d", user: "u")
        var replicas = PostgresConfiguration(host: "replica", database: "d", user: "u")
        replicas.pool.maximumConnections = 4
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

        let one = Postgres(configuration: primary, logger: quiet)
        let two = Postgres(configuration: primary, replicas: replicas, logger: quiet)
        let monitors = Monitors(
            database: DatabaseMonitors(logger: quiet), pools: ConnectionPoolMonitor(two.pools),
            health: DatabaseHealthChecker(checks: []))

        #expect(ConnectionPoolMonitor(one.pools).reports().map(\.name) == ["postgres"])
        #expect(monitors.pools.reports().map(\.name) == ["postgres", "postgres_replicas"])
        #expect(monitors.prometheusText().contains("heartguard_db_pool_max_connections{pool=\"postgres\"} 10\n"))
        #expect(monitors.prometheusText().contains("heartguard_db_pool_max_connections{pool=\"postgres_replicas\"} 4\n"))
    }
}
