internal import Application
internal import Crypto
internal import Foundation
internal import Jobs
internal import Postgres
internal import RecordTestSupport
internal import Schema
internal import Synchronization
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Users

/// What writes exports: the job of Users over the real tables of all services, told in pages of a few hundred bytes.
struct Exporting: Sendable {
    let exports: ExportRepository
    let services: [(name: String, records: RecordExport)]
    /// May blow before and behind each part that a service tells.
    var fuse: Fuse?

    var jobs: ExportJobs {
        ExportJobs(
            exports: exports,
            tellers: services.map { name, records in
                RecordTeller(name: name) { [fuse] user, format, place in
                    try fuse?.pass()
                    let page = try await records.part(of: user, as: format, after: place)
                    try fuse?.pass()
                    return page
                }
            },
            logger: quiet)
    }

    func start(_ user: UserID, _ clientID: String = "client", as format: RecordFormat = .jsonLines) async throws -> Export {
        try await exports.start(ClientID(clientID), as: format, of: user)
    }

    /// Runs the job until the export has finished.
    func finish(_ export: Export, of user: UserID) async throws -> Export {
        while true {
            do { try await jobs.write(ExportSubject(export: export.id, user: user.uuid)) } catch is JobFailure { continue }
            return try #require(try await exports.find(export.id, of: user))
        }
    }

    /// The file, read as a client does.
    func content(of export: Export, _ user: UserID) async throws -> [UInt8] {
        var content: [UInt8] = []
        while let chunk = try await exports.chunk(at: Int64(content.count), of: export.id, user) { content += chunk.content }
        return content
    }
}

/// An account in the database of these tests.
func makePerson() async throws -> UserID {
    let user = UserID.make()
    let id = user.uuid.uuidString.lowercased()
    try await runAsAdministrator(
        in: exportDatabase,
        """
        INSERT INTO users.users (id, email, name, password_hash) VALUES ('\(id)', '\(id)@people.test', 'Ada', 'not to be told');
        INSERT INTO users.sessions (user_id, id) VALUES ('\(id)', gen_random_uuid())
        """)
    return user
}

func withExports(_ body: (Exporting) async throws -> Void) async throws {
    let server = try await PostgresServer.shared
    let name = try await exportDatabase.value.database
    func configuration(_ role: ServiceRole) -> PostgresConfiguration { server.configuration(database: name, user: role.roleName) }
    func inSmallPages(_ postgres: Postgres, _ schema: String) -> RecordExport {
        RecordExport([.jsonLines: [.tables(of: postgres, schema: schema, mostBytes: 500)], .fhirR4: []])
    }
    try await PostgresServer.withClient(configuration(.users)) { users in
        try await PostgresServer.withClient(configuration(.vitals)) { vitals in
            try await PostgresServer.withClient(configuration(.chat)) { chat in
                try await PostgresServer.withClient(configuration(.vectors)) { vectors in
                    try await body(
                        Exporting(
                            exports: ExportRepository(postgres: users),
                            services: [
                                ("users", inSmallPages(users, "users")), ("vitals", inSmallPages(vitals, "vitals")),
                                ("chat", inSmallPages(chat, "chat")), ("vectors", inSmallPages(vectors, "vectors")),
                            ]))
                }
            }
        }
    }
}

/// The file of an export, as its reader takes it apart and verifies it.
struct ExportedFile {
    let lines: [String]
    let counts: [String: Int64]

    init(_ content: [UInt8]) throws {
        var lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        try #require(lines.removeLast().isEmpty)
        let last = try #require(lines.last)
        struct End: Decodable { let manifest: ExportFile.Manifest }
        let manifest = try JSONDecoder().decode(End.self, from: Data(last)).manifest
        try #require(manifest.bytes == Int64(content.count - last.count - 1))
        try #require(manifest.sha256 == SHA256.hash(data: content.dropLast(last.count + 1)).hexadecimal)
        self.lines = lines.map { String(decoding: $0, as: UTF8.self) }
        counts = manifest.counts
        try #require(counts == Dictionary(records.map { ($0.type, 1) }, uniquingKeysWith: +))
    }

    /// What is between what the file says of itself.
    var body: [String] { Array(lines.dropFirst().dropLast()) }

    var records: [(type: String, record: [String: Any])] {
        body.compactMap { line in
            guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], let type = object["type"] as? String,
                let record = object["record"] as? [String: Any]
            else { return nil }
            return (type, record)
        }
    }
}
