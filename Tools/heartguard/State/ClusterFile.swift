internal import Foundation

/// cluster.json: where everything listens, for programs that use the cluster. The supervisor keeps the process ids
/// current. docs/operations.md describes every field.
struct ClusterFile: Codable, Equatable, Sendable {
    struct Gateway: Codable, Equatable, Sendable {
        var host: String
        /// gRPC over TLS.
        var grpc: Int
        /// JSON over HTTPS.
        var json: Int
        /// Prometheus' text over HTTP.
        var metrics: Int?
        var pid: Int32?
    }

    struct Server: Codable, Equatable, Sendable {
        var host: String
        var port: Int
        /// Of a service: Prometheus' text over HTTP.
        var metrics: Int?
        var pid: Int32?
        var database: String?
    }

    struct TLS: Codable, Equatable, Sendable {
        /// The authority that signed every certificate of the cluster.
        var ca: String
        /// A certificate for programs that call the services directly.
        var certificate: String
        var key: String
    }

    var state: String
    var supervisor: Int32?
    var gateway: Gateway
    /// users, vitals, chat, vectors.
    var services: [String: Server]
    /// postgres, redis_durable, redis_cache.
    var stores: [String: Server]
    var tls: TLS
    var credentials: String
    var logs: String

    init(_ directory: StateDirectory, ports: Ports, processes: ProcessReport, supervisor: Int32?) {
        let host = "127.0.0.1"
        func server(_ process: String, _ port: Ports.Role, metrics: Ports.Role? = nil, database: String? = nil) -> Server {
            Server(host: host, port: ports[port], metrics: metrics.map { ports[$0] }, pid: processes[process]?.pid, database: database)
        }
        state = directory.path
        self.supervisor = supervisor
        gateway = Gateway(
            host: host, grpc: ports[.gateway], json: ports[.json], metrics: ports[.gatewayOperator], pid: processes["gateway"]?.pid)
        services = [
            "users": server("users", .users, metrics: .usersOperator), "vitals": server("vitals", .vitals, metrics: .vitalsOperator),
            "chat": server("chat", .chat, metrics: .chatOperator), "vectors": server("vectors", .vectors, metrics: .vectorsOperator),
        ]
        stores = [
            "postgres": server("postgres", .postgres, database: PostgresServer.database),
            "redis_durable": server("redis-durable", .redisDurable), "redis_cache": server("redis-cache", .redisCache),
        ]
        tls = TLS(ca: directory.certificateAuthority, certificate: directory.tls("client.crt"), key: directory.tls("client.key"))
        credentials = directory.credentials
        logs = "\(directory.path)/logs"
    }

    /// Writes the file anew from the ports that are kept and the processes that the supervisor has.
    static func refresh(in directory: StateDirectory, processes: ProcessReport) throws {
        guard let ports = try directory.read(Ports.self, from: directory.ports) else { return }
        let runs = processes.processes.contains { $0.pid != nil }
        let file = ClusterFile(directory, ports: ports, processes: processes, supervisor: runs ? ProcessInfo.processInfo.processIdentifier : nil)
        try directory.write(file, to: directory.cluster)
    }
}
