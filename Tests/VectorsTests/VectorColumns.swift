internal import Logging
internal import Migrations
internal import Postgres
internal import Schema
internal import TestSupport

@testable internal import Vectors

/// Where the tables' columns are tested: as text, and as pgvector's type.
enum VectorColumns: CaseIterable, Sendable {
    case text, pgvector

    /// Lends a migrated database.
    func withDatabase(_ body: (VectorsDatabase) async throws -> Void) async throws {
        switch self {
        case .text: try await withVectorsDatabase(body)
        case .pgvector: try await withVectorsDatabase(of: pgvectorServer, body)
        }
    }
}

extension VectorsDatabase {
    /// Lends a migrator, which works as the owner of the database.
    func withOwner(_ body: (Migrator) async throws -> Void) async throws {
        try await PostgresServer.withClient(server.configuration(database: name, user: ServiceRole.owner)) { owner in
            try await body(Migrator(owner, chain: Schema.chain, logger: Logger(label: "migrations") { _ in SwiftLogNoOpLogHandler() }))
        }
    }

    /// Lends a client of the service's role.
    func withClient<Value: Sendable>(_ body: (Postgres) async throws -> Value) async throws -> Value {
        try await PostgresServer.withClient(
            server.configuration(database: name, user: ServiceRole.vectors.roleName, pool: PostgresServer.patientPool), body)
    }
}
