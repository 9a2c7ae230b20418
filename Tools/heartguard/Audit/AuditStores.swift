internal import Audit
internal import Foundation
internal import Logging
internal import Postgres
internal import Redis

/// Where the audit log and the ends of its chains are.
enum AuditStores {
    /// The ends that the durable Redis keeps.
    static func heads(_ options: StateOptions) async throws -> [AuditHead] {
        let redis = Redis(
            configuration: try DurableRedis(environment: options.environment, directory: options.directory).configuration, logger: .silent)
        let connection = Task { await redis.run() }
        let result: Result<[AuditHead], any Error>
        do throws(RedisError) {
            result = .success(try await AuditAnchors.heads(in: redis))
        } catch {
            result = .failure(CommandFailure("the ends of the chains cannot be read: \(error.message)"))
        }
        connection.cancel()
        await connection.value
        return try result.get()
    }

    static func withLog<Value: Sendable>(
        _ options: StateOptions, _ body: (AuditLog) async throws -> Value
    ) async throws -> Value {
        let target = try MigrationTarget(environment: options.environment, directory: options.directory)
        do {
            return try await target.connected(as: "heartguard-audit") { try await body(AuditLog($0)) }
        } catch let error as PostgresError {
            throw CommandFailure("the audit log cannot be read: \(error)")
        }
    }
}
