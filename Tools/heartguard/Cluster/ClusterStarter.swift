internal import Foundation

/// Brings a cluster up, from nothing or from whatever is there: state, stores, migrations, services.
struct ClusterStarter: Sendable {
    private let directory: StateDirectory
    private let ports: Ports
    private let user: StoreUser
    private let services: ServicePlan
    private let supervisor: SupervisorHandle
    private let progress: Progress

    private static let leastFreeBytes = 1 << 30
    private static let storePatience = Duration.seconds(60)
    private static let servicePatience = Duration.seconds(90)

    /// Chooses the ports; throws when a configured one is taken.
    init(
        directory: StateDirectory, binaries: String, environment: [String: String], prefersKnownPorts: Bool, progress: Progress
    ) throws {
        self.directory = directory
        self.progress = progress
        supervisor = SupervisorHandle(directory: directory)
        user = try StoreUser.current()
        let running = Set(try supervisor.report()?.processes.filter { $0.pid != nil }.map(\.name) ?? [])
        ports = try Ports(
            environment: environment, kept: directory.read(Ports.self, from: directory.ports),
            inUse: Set(Ports.Role.allCases.filter { running.contains($0.processName) }),
            prefersKnownPorts: prefersKnownPorts)
        services = ServicePlan(directory: directory, ports: ports, binaries: binaries, environment: environment)
    }

    func start(storesOnly: Bool) async throws {
        try checkDisk()
        try prepareState()
        try await startStores()
        try await migrate()
        guard !storesOnly else {
            try supervisor.apply(SupervisorPlan(processes: storePlans()))
            return
        }
        try await startServices()
    }

    private func checkDisk() throws {
        let values = try URL(filePath: directory.path).resourceValues(forKeys: [.volumeAvailableCapacityKey])
        guard let free = values.volumeAvailableCapacity, free < Self.leastFreeBytes else { return }
        throw CommandFailure(
            "the disk of \(directory.path) has \(free >> 20) MiB left, and a cluster needs \(Self.leastFreeBytes >> 20). Free some space and try again.")
    }

    private func prepareState() throws {
        try Secrets(directory: directory).create()
        try Certificates(directory: directory).create()
        try TokenKeys(directory: directory).create()
        try directory.write(ports, to: directory.ports)
        try Credentials.current(in: directory).save(in: directory)
    }

    private func storePlans() throws -> [ProcessPlan] {
        let postgres = PostgresServer(directory: directory, ports: ports, user: user)
        let redis = RedisServer.Role.allCases.map { RedisServer(role: $0, directory: directory, ports: ports, user: user) }
        try postgres.prepare()
        for server in redis { try server.prepare() }
        return try [postgres.plan()] + redis.map { try $0.plan() }
    }

    /// Services that run already go on while the stores are looked at and the schema is brought up to date.
    private func startStores() async throws {
        let stores = try storePlans()
        let kept = try supervisor.pid == nil ? [] : supervisor.plan()?.processes.filter { $0.stage > 0 } ?? []
        try supervisor.apply(SupervisorPlan(processes: stores + kept))

        let bootstrap = try MigrationTarget(of: directory, ports: ports).bootstrap()
        try await wait(for: "postgres", Self.storePatience) { bootstrap.whyNotReady() }
        try bootstrap.run()
        progress.step("postgres", "accepts connections on 127.0.0.1:\(ports[.postgres])")
        for role in RedisServer.Role.allCases {
            let password = try Secrets(directory: directory)[role.secret]
            try await wait(for: role.processName, Self.storePatience) { Self.whyNotReady(redis: ports[role.port], password) }
            progress.step(role.processName, "accepts connections on 127.0.0.1:\(ports[role.port])")
        }
    }

    private func migrate() async throws {
        let target = try MigrationTarget(of: directory, ports: ports)
        let migration = SchemaMigration(configuration: target.configuration(as: "heartguard-migrate"))
        progress.step("schema", try await migration.up())
    }

    private func startServices() async throws {
        let plans = try ServiceName.allCases.map { try services.plan($0) }
        try supervisor.apply(SupervisorPlan(processes: storePlans() + plans))
        for service in ServiceName.allCases {
            let port = services.port(of: service)
            let check = HealthCheck(host: "127.0.0.1", port: port, authority: directory.certificateAuthority)
            try await wait(for: service.rawValue, Self.servicePatience) {
                // a process that is being replaced by its new build may still answer
                guard try supervisor.plannedRuns(service.rawValue) else { return "it is being started" }
                let state = await check.state(of: service)
                return state == .serving ? nil : "\(state)"
            }
            progress.step(service.rawValue, "SERVING on 127.0.0.1:\(port)")
        }
    }

    /// Asks again until there is no reason left not to go on. Throws with the last reason and the end of the process's
    /// log when the patience is over, or at once when the process keeps falling over.
    private func wait(for process: String, _ patience: Duration, whyNot: () async throws -> String?) async throws {
        let end = ContinuousClock.now + patience
        let began = try supervisor.report()?[process]?.restarts ?? 0
        while let reason = try await whyNot() {
            guard try supervisor.pid != nil else { throw CommandFailure("the supervisor stopped while \(process) was started.") }
            let restarts = (try supervisor.report()?[process]?.restarts ?? 0) - began
            guard ContinuousClock.now < end, restarts < 6 else {
                throw CommandFailure("\(process) does not come up: \(reason)\n\(logTail(process))")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func logTail(_ process: String) -> String {
        guard let data = FileManager.default.contents(atPath: directory.log(process)) else { return "It wrote no log." }
        let lines = String(decoding: data.suffix(8192), as: UTF8.self).split(separator: "\n").suffix(8)
        return "The end of \(directory.log(process)):\n  " + lines.joined(separator: "\n  ")
    }

    private static func whyNotReady(redis port: Int, _ password: String) -> String? {
        do {
            let answer = try Tool.run(
                "redis-cli", ["-h", "127.0.0.1", "-p", "\(port)", "--no-auth-warning", "PING"],
                environment: ["REDISCLI_AUTH": password])
            return answer.hasPrefix("PONG") ? nil : answer
        } catch {
            return "\(error)"
        }
    }
}

extension Ports.Role {
    /// The process of the supervisor's plan that listens there.
    var processName: String {
        switch self {
        case .json, .gatewayOperator: "gateway"
        case .usersOperator: "users"
        case .vitalsOperator: "vitals"
        case .chatOperator: "chat"
        case .vectorsOperator: "vectors"
        case .redisDurable: "redis-durable"
        case .redisCache: "redis-cache"
        default: rawValue
        }
    }
}

extension SupervisorHandle {
    /// Whether the process runs as the plan on disk wants it, not as an older one that is on its way out.
    func plannedRuns(_ name: String) throws -> Bool {
        guard let wanted = try plan()?.processes.first(where: { $0.name == name }), let running = try report()?[name] else { return false }
        return running.state == "running" && running.build == wanted.build
    }
}
