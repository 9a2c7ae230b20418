internal import ConnectionPool
internal import DatabaseTestSupport
internal import Foundation
internal import Logging
internal import Migrations
internal import Postgres
internal import Schema
internal import TestSupport

/// Says nothing: what goes wrong in a test is seen by the test.
let quiet = Logger(label: "schema-tests") { _ in SwiftLogNoOpLogHandler() }

/// A client with the role that owns the database.
func withOwner<Value>(
    of name: String, on server: PostgresServer, _ body: (Postgres) async throws -> Value
) async throws -> Value {
    try await PostgresServer.withClient(server.configuration(database: name, user: ServiceRole.owner), body)
}

/// A migrated database that all tests read.
let migrated = Once<String> {
    let server = try await PostgresServer.shared
    try await server.makeMigratedDatabase("schema_template")
    return "schema_template"
}

/// Lends a migrated database of the test's own.
func withSchema<Value>(_ body: (PostgresServer, String) async throws -> Value) async throws -> Value {
    let server = try await PostgresServer.shared
    let source = try await migrated.value
    let name = "schema_\(UUID().uuidString.prefix(8).lowercased())"
    try await server.psql("CREATE DATABASE \(name) TEMPLATE \(source) OWNER \(ServiceRole.owner)")
    let result: Result<Value, any Error>
    do {
        result = .success(try await body(server, name))
    } catch {
        result = .failure(error)
    }
    try await server.psql("DROP DATABASE \(name) WITH (FORCE)")
    return try result.get()
}

/// Lends an empty database of the test's own, with its roles.
func withEmptyDatabase<Value>(_ body: (PostgresServer, String) async throws -> Value) async throws -> Value {
    let server = try await PostgresServer.shared
    let name = "empty_\(UUID().uuidString.prefix(8).lowercased())"
    try await server.makeDatabase(name)
    let result: Result<Value, any Error>
    do {
        result = .success(try await body(server, name))
    } catch {
        result = .failure(error)
    }
    try await server.psql("DROP DATABASE \(name) WITH (FORCE)")
    return try result.get()
}
