internal import ConnectionPool
internal import DatabaseTestSupport
internal import Logging
internal import Postgres
internal import Schema
internal import Synchronization
internal import TestSupport

@testable internal import Vectors

/// Servers with a migrated database that every test gets a copy of, because an instance of the service follows every
/// collection in its database.
let textServer = Once<PostgresServer> { try await withTemplate(.shared) }
let pgvectorServer = Once<PostgresServer> { try await withTemplate(.startWithVectors()) }

private let template = "vectors_template"

private func withTemplate(_ server: PostgresServer) async throws -> PostgresServer {
    try await server.makeMigratedDatabase(template)
    return server
}

/// What goes wrong in a test is seen by the test.
let quiet = Logger(label: "vectors-tests") { _ in SwiftLogNoOpLogHandler() }

private let copyCount = Atomic(0)

/// A database of the test's own, in which instances of the service run.
struct VectorsDatabase: Sendable {
    let server: PostgresServer
    let name: String

    /// Runs an instance of the service meanwhile, as one of possibly several replicas.
    func withReplica<Value: Sendable>(
        pollInterval: Duration = .milliseconds(20),
        // Many tests run at once, and few of them are about how long a connection may take.
        pool: PoolConfiguration = PoolConfiguration(minimumConnections: 0, acquireTimeout: .seconds(60)),
        snapshots: SnapshotStore? = nil,
        indexThreads: ComputeThreads = ComputeThreads(name: "index", threads: 1, maxQueued: 64),
        rows: RowSearch.Limits = .init(),
        graph: GraphConfiguration = GraphConfiguration(m: 8, efConstruction: 60),
        recall: RecallSampler = RecallSampler(budget: RecallBudget(percent: 0, threads: 1)),
        _ body: (VectorsService) async throws -> Value
    ) async throws -> Value {
        let configuration = server.configuration(database: name, user: ServiceRole.vectors.roleName, pool: pool)
        return try await PostgresServer.withClient(configuration) { postgres in
            let collections = CollectionRepository(postgres: postgres)
            let documents = DocumentRepository(postgres: postgres)
            let aliases = AliasRepository(postgres: postgres)
            let indexes = CollectionIndexes(
                collections: collections, documents: documents, aliases: aliases,
                configuration: graph,
                snapshots: snapshots, answersFromRows: rows, threads: indexThreads, pollInterval: pollInterval,
                logger: quiet)
            let threads = ComputeThreads(name: "search", threads: 2, maxQueued: 64)
            async let _: Void = indexes.run()
            return try await body(
                VectorsService(
                    collections: collections, documents: documents, indexes: indexes, texts: DocumentTexts(bytes: 1 << 20),
                    rows: RowSearch(collections: collections, documents: documents, threads: threads, limits: rows),
                    recall: recall, threads: threads))
        }
    }
}

/// Lends a database of the test's own.
func withVectorsDatabase(of shared: Once<PostgresServer> = textServer, _ body: (VectorsDatabase) async throws -> Void) async throws {
    let server = try await shared.value
    let name = "vectors_\(copyCount.add(1, ordering: .relaxed).newValue)"
    try await server.psql("CREATE DATABASE \(name) TEMPLATE \(template) OWNER \(ServiceRole.owner)")
    let result: Result<Void, any Error>
    do {
        result = .success(try await body(VectorsDatabase(server: server, name: name)))
    } catch {
        result = .failure(error)
    }
    try await server.psql("DROP DATABASE \(name) WITH (FORCE)")
    try result.get()
}

/// Lends a database on a server that the test may stop, and ends the server.
func withVectorsDatabase(
    on server: PostgresServer, _ body: (VectorsDatabase) async throws -> Void
) async throws {
    let result: Result<Void, any Error>
    do {
        try await server.makeMigratedDatabase("vectors")
        result = .success(try await body(VectorsDatabase(server: server, name: "vectors")))
    } catch {
        result = .failure(error)
    }
    try await server.end()
    try result.get()
}

/// Lends one instance of the service with an empty database.
func withVectors(_ body: (VectorsService) async throws -> Void) async throws {
    try await withVectorsDatabase { try await $0.withReplica(body) }
}
