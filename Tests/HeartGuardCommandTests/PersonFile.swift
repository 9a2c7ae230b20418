internal import Application
internal import Audit
internal import Crypto
internal import DatabaseTestSupport
internal import Foundation
internal import Logging
internal import Postgres
internal import Schema
internal import TestSupport
internal import Time

@testable internal import Chat
@testable internal import HeartGuardCommand

let ada = UUID(uuidString: "00000000-0000-7000-8000-00000000000A")!
private let oldSession = UUID(uuidString: "00000000-0000-7000-8000-0000000000C2")!

/// A migrated database that the others are copies of.
private let migrated = Once<String> {
    try await TestSupport.PostgresServer.shared.makeMigratedDatabase("restore_template")
    return "restore_template"
}

/// Lends a migrated database of the test's own.
func withCluster(_ body: (Cluster) async throws -> Void) async throws {
    let server = try await TestSupport.PostgresServer.shared
    let source = try await migrated.value
    let name = "restore_\(UUID().uuidString.prefix(8).lowercased())"
    try await server.psql("CREATE DATABASE \(name) TEMPLATE \(source) OWNER \(ServiceRole.owner)")
    let result: Result<Void, any Error>
    do { result = .success(try await body(Cluster(server: server, database: name))) } catch { result = .failure(error) }
    try await server.psql("DROP DATABASE \(name) WITH (FORCE)")
    try result.get()
}

/// A database as the services and the owner see it.
struct Cluster: Sendable {
    let server: TestSupport.PostgresServer
    let database: String

    @discardableResult
    func psql(_ sql: String) async throws -> String { try await server.psql(sql, database: database) }

    /// Ada, with a row in every table and a conversation in an archive.
    func addAda() async throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "SQL/every_table.sql")
        try await server.psql(file: file.path, database: database, settings: ["person=\(ada)", "old=\(oldSession)"])
        try await withClient(ServiceRole.chat.roleName) { chat in
            let archiver = SessionArchiver(postgres: chat, settings: .init(), logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() })
            _ = try await archiver.putAway(SessionID(oldSession), of: ada)
        }
    }

    /// The number of the first archive that does not hold.
    func firstBrokenArchive() async throws -> Int64? {
        try await withClient(ServiceRole.chat.roleName) { try await SessionArchiveRepository(postgres: $0).firstBroken(of: ada) }
    }

    /// What the services tell of Ada, a line each.
    func told() async throws -> [String] {
        var content: [UInt8] = []
        for role in ServiceRole.allCases {
            try await withClient(role.roleName) { postgres in
                let export = RecordExport(
                    postgres: postgres, schema: role.schemaName, besides: role == .chat ? [.archivedMessages(of: postgres)] : [])
                var place: String?
                repeat {
                    let page = try await export.part(of: ada, as: .jsonLines, after: place)
                    content += page.content
                    place = page.next
                } while place != nil
            }
        }
        return String(decoding: content, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    func verifiedAudit() async throws -> AuditVerification {
        try await withClient(ServiceRole.owner) { try await AuditLog($0).verify(anchors: [], since: nil) }
    }

    /// Holds a table, and ends the connection of whoever comes to wait for it while `body` runs.
    func killing(whoeverWaitsFor table: StaticString, _ body: @escaping @Sendable () async throws -> String) async throws -> String {
        try await withClient(server.superuser) { postgres in
            try await postgres.transaction(tier: .slow) { transaction in
                try await transaction.execute(script: "LOCK TABLE \(table) IN ACCESS EXCLUSIVE MODE")
                async let result = body()
                let termination = "SELECT bool_or(pg_terminate_backend(pid)) FROM pg_locks WHERE NOT granted AND relation = '\(table)'::regclass"
                while try await psql(termination) != "t" { try await Task.sleep(for: .milliseconds(10)) }
                return try await result
            }
        }
    }

    /// Restores what a file of these lines has, as the command does.
    func restore(_ lines: [String], isTrial: Bool = false) async throws -> RecordsRestore.Outcome {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).jsonl")
        try Data(lines.joined().utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }  // What is left is in the folder for such things.
        return try await withClient(ServiceRole.owner) {
            try await RecordsRestore(file: file, passwordHash: "a new one", isTrial: isTrial).run($0)
        }
    }

    /// Why lines are refused.
    func refusal(of lines: [String]) async throws -> String {
        do {
            _ = try await restore(lines)
            return "nothing was refused"
        } catch let failure as CommandFailure { return failure.description }
    }

    func withClient<Value>(_ user: String, _ body: (Postgres) async throws -> Value) async throws -> Value {
        try await TestSupport.PostgresServer.withClient(server.configuration(database: database, user: user), body)
    }
}

/// The lines of a whole file, each with its end, as Users writes them around what is told.
func wholeFile(of told: [String], person: UUID = ada) -> [String] {
    let head = #"{"export":{"format":"heartguard-records/1","id":"\#(UUID().uuidString.lowercased())","person":"\#(person.uuidString.lowercased())","requested_at":"2026-11-30T00:00:00Z"}}"#
    let body = ([head] + told).map { $0 + "\n" }
    let bytes = Array(body.joined().utf8)
    let counts = Dictionary(told.compactMap(recordType).map { ($0, 1) }, uniquingKeysWith: +).map { #""\#($0)":\#($1)"# }.joined(separator: ",")
    return body + [#"{"manifest":{"bytes":\#(bytes.count),"counts":{\#(counts)},"sha256":"\#(SHA256.hash(data: bytes).hexadecimal)"}}"# + "\n"]
}

/// What a record is of; `nil` for a line that is none.
func recordType(_ line: String) -> String? {
    line.hasPrefix(#"{"type":""#) ? String(line.dropFirst(9).prefix { $0 != "\"" }) : nil
}
