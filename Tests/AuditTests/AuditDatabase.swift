import DatabaseTestSupport
import FoundationEssentials
import Logging
import Postgres
import Redis
import Schema
import Synchronization
import TestSupport
import Time

@testable import Audit

let quiet = Logger(label: "audit-tests") { _ in SwiftLogNoOpLogHandler() }

/// A migrated database that the tests' own are copies of.
private let template = Once<String> {
    let server = try await PostgresServer.shared
    try await server.makeMigratedDatabase("audit_template")
    return "audit_template"
}

private let count = Mutex(0)

/// A log of one test's own.
struct AuditStand: Sendable {
    let server: PostgresServer
    let database: String

    /// What a service writes with.
    func configuration(_ role: ServiceRole) -> PostgresConfiguration { server.configuration(database: database, user: role.roleName) }

    /// Lends a recorder that runs as a service's role, and waits until it has ended.
    func withRecorder(
        _ role: ServiceRole = .vitals, limits: AuditRecorder.Limits = .init(), redis: Redis? = nil,
        _ body: (AuditRecorder) async throws -> Void
    ) async throws {
        try await PostgresServer.withClient(configuration(role)) { postgres in
            let recorder = AuditRecorder(postgres, limits: limits, logger: quiet)
            let running = Task { await recorder.run(anchoringIn: redis) }
            let result: Result<Void, any Error>
            do { result = .success(try await body(recorder)) } catch { result = .failure(error) }
            running.cancel()
            await running.value
            try result.get()
        }
    }

    func verify(anchors: [AuditHead] = [], since: String? = nil, archives: [[RecordedEvent]] = []) async throws -> AuditVerification {
        let owner = server.configuration(database: database, user: ServiceRole.owner)
        let archived = try archives.isEmpty ? nil : ArchivedEvents(archives.map(reading))
        return try await PostgresServer.withClient(owner) { owner in
            try await AuditLog(owner).verify(anchors: anchors, since: since.flatMap { .init(rfc3339: $0) }, archived: archived)
        }
    }

    /// Takes out of the log what an archive holds that ends so.
    @discardableResult
    func remove(through ends: [AuditHead]) async throws -> Int {
        let owner = server.configuration(database: database, user: ServiceRole.owner)
        let archive = AuditArchive(sha256: AuditChain.beginning, before: Instant(microsecondsSinceEpoch: 0), events: 1, chains: 1)
        return try await PostgresServer.withClient(owner) { try await AuditLog($0).remove(archive, through: ends) }
    }

    /// Every event of the log.
    func events() async throws -> [RecordedEvent] {
        try await PostgresServer.withClient(server.configuration(database: database)) { superuser in
            try await superuser.rows(
                "SELECT \(RecordedEvent.columns) FROM heartguard.audit_log ORDER BY writer, sequence", as: RecordedEvent.self)
        }
    }

    /// As a superuser.
    @discardableResult
    func psql(_ sql: String) async throws -> String { try await server.psql(sql, database: database) }

    /// The ends of all chains, as the database has them.
    func heads() async throws -> [AuditHead] {
        let lines = try await psql(
            "SELECT DISTINCT ON (writer) writer || ' ' || sequence || ':' || encode(hash, 'hex') FROM heartguard.audit_log ORDER BY writer, sequence DESC")
        return lines.split(separator: "\n").compactMap { AuditHead(line: $0) }
    }
}

/// What reads these events one by one.
private func reading(_ events: [RecordedEvent]) -> () throws -> RecordedEvent? {
    var rest = events[...]
    return { rest.popFirst() }
}

func withAuditDatabase(_ body: (AuditStand) async throws -> Void) async throws {
    let server = try await PostgresServer.shared
    let source = try await template.value
    let number = count.withLock { $0 += 1; return $0 }
    let database = "audit_\(number)"
    try await server.psql("CREATE DATABASE \(database) TEMPLATE \(source) OWNER \(ServiceRole.owner)")
    let result: Result<Void, any Error>
    do { result = .success(try await body(AuditStand(server: server, database: database))) } catch { result = .failure(error) }
    try await server.psql("DROP DATABASE \(database) WITH (FORCE)")
    try result.get()
}
