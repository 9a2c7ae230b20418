internal import Foundation
internal import Glibc

/// How each service is started: its executable, its environment, its place in the order.
struct ServicePlan: Sendable {
    let directory: StateDirectory
    let ports: Ports
    let binaries: String
    /// Variables of the caller that are handed on, such as HEARTGUARD_LOG_LEVEL.
    let environment: [String: String]

    private static let host = "127.0.0.1"
    static let tokenIssuer = "https://heartguard.test"

    func plan(_ service: ServiceName) throws -> ProcessPlan {
        let executable = "\(binaries)/\(service.executable)"
        guard FileManager.default.isExecutableFile(atPath: executable) else {
            throw CommandFailure("\(executable) is not there. `make build` builds it.")
        }
        return try ProcessPlan(
            name: service.rawValue, executable: Tool.path(of: "setpriv"),
            arguments: ["--pdeathsig", "TERM", "--", executable],
            environment: variables(service).map { "\($0)=\($1)" }.sorted(), logFile: directory.log(service.rawValue),
            stage: service == .gateway ? 2 : 1, stopSignal: SIGTERM, stopSeconds: 30,
            // Its token keys are read at the start alone.
            build: "\(Self.version(of: executable)) \(Self.version(of: directory.publicKeys))")
    }

    /// Tells a file from the one that was in its place before.
    private static func version(of file: String) -> String {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)  // a missing file is a version, too
        let modified = attributes?[.modificationDate] as? Date
        return "\(modified?.timeIntervalSince1970 ?? 0)/\(attributes?[.size] as? Int ?? 0)"
    }

    func variables(_ service: ServiceName) -> [String: String] {
        var all = [
            "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC", "HOME": "/nonexistent",
            "HEARTGUARD_LISTEN_HOST": Self.host,
            "HEARTGUARD_LISTEN_PORT": "\(port(of: service))",
            "HEARTGUARD_TLS_CERTIFICATE_FILE": directory.tls("\(service.rawValue).crt"),
            "HEARTGUARD_TLS_KEY_FILE": directory.tls("\(service.rawValue).key"),
            "HEARTGUARD_TLS_CA_FILE": directory.certificateAuthority,
            "HEARTGUARD_TOKEN_JWKS_FILE": directory.publicKeys,
            "HEARTGUARD_TOKEN_ISSUER": Self.tokenIssuer,
            "HEARTGUARD_LOG_LEVEL": "info",
            "HEARTGUARD_OPERATOR_HOST": Self.host,
            "HEARTGUARD_OPERATOR_PORT": "\(ports[operatorRole(of: service)])",
        ]
        for role in RedisServer.Role.allCases {
            let prefix = "HEARTGUARD_REDIS_\(role.rawValue.uppercased())"
            all["\(prefix)_HOST"] = Self.host
            all["\(prefix)_PORT"] = "\(ports[role.port])"
            all["\(prefix)_PASSWORD_FILE"] = directory.secret(role.secret)
        }
        if ServiceName.owners.contains(service) {
            all["HEARTGUARD_POSTGRES_HOST"] = Self.host
            all["HEARTGUARD_POSTGRES_PORT"] = "\(ports[.postgres])"
            all["HEARTGUARD_POSTGRES_DATABASE"] = PostgresServer.database
            all["HEARTGUARD_POSTGRES_USER"] = "heartguard_\(service.rawValue)"
            all["HEARTGUARD_POSTGRES_PASSWORD_FILE"] = directory.secret("postgres-\(service.rawValue)")
            all["HEARTGUARD_POSTGRES_POOL_MIN"] = "2"
            all["HEARTGUARD_POSTGRES_POOL_MAX"] = "10"
        }
        switch service {
        case .users:
            all["HEARTGUARD_TOKEN_SIGNING_KEY_FILE"] = directory.secret("token-signing-key.pem")
            all["HEARTGUARD_OPERATOR_EMAIL"] = Secrets.operatorEmail
            all["HEARTGUARD_OPERATOR_PASSWORD_FILE"] = directory.secret("operator")
            for owner in ServiceName.owners where owner != .users { all[Self.address(of: owner)] = "\(Self.host):\(port(of: owner))" }
        case .gateway:
            all["HEARTGUARD_JSON_PORT"] = "\(ports[.json])"
            for owner in ServiceName.owners { all[Self.address(of: owner)] = "\(Self.host):\(port(of: owner))" }
        case .vectors:
            all["HEARTGUARD_VECTORS_SNAPSHOT_FOLDER"] = directory.vectorSnapshots
        case .vitals: all[Self.address(of: .users)] = "\(Self.host):\(port(of: .users))"
        case .chat: all[Self.address(of: .vectors)] = "\(Self.host):\(port(of: .vectors))"
        }
        for (name, value) in environment where Self.mayBeSet(name) { all[name] = value }
        return all
    }

    /// The variable that says where a service is.
    private static func address(of service: ServiceName) -> String { "HEARTGUARD_\(service.rawValue.uppercased())_ADDRESS" }

    /// What the environment of `heartguard up` may change in a service: how it works, never where it finds the cluster.
    private static func mayBeSet(_ name: String) -> Bool {
        let tuning = [
            "LOG_LEVEL", "EVENT_LOOP_THREADS", "MAX_CONNECTIONS", "POSTGRES_POOL_", "RATE_", "BREAKER_", "SERVICE_MAX_", "IDEMPOTENCY_", "APPOINTMENT_HOLD_",
            "CHAT_ARCHIVE_", "CHAT_CHECKPOINT_", "ERASURE_", "VECTORS_SNAPSHOT_CHANGES", "VECTORS_SNAPSHOT_SECONDS", "VECTORS_ROW_SEARCH",
            "VECTORS_RECALL_", "VECTORS_M", "VECTORS_EF_", "VECTORS_SEARCH_THREADS", "VECTORS_INDEX_THREADS",
        ]
        return tuning.contains { name.hasPrefix("HEARTGUARD_\($0)") }
    }

    private func operatorRole(of service: ServiceName) -> Ports.Role {
        switch service {
        case .users: .usersOperator
        case .vitals: .vitalsOperator
        case .chat: .chatOperator
        case .vectors: .vectorsOperator
        case .gateway: .gatewayOperator
        }
    }

    func port(of service: ServiceName) -> Int {
        switch service {
        case .users: ports[.users]
        case .vitals: ports[.vitals]
        case .chat: ports[.chat]
        case .vectors: ports[.vectors]
        case .gateway: ports[.gateway]
        }
    }
}
