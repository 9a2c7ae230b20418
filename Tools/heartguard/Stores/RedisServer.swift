internal import Foundation
internal import Glibc

/// One of the cluster's two Redis servers.
struct RedisServer: Sendable {
    enum Role: String, CaseIterable, Sendable {
        /// Keeps what was acknowledged: blocked tokens, later jobs and checkpoints. It never evicts.
        case durable
        /// Keeps what can be had again: rate windows, cached answers. It forgets what was used least recently.
        case cache

        var port: Ports.Role { self == .durable ? .redisDurable : .redisCache }
        var secret: String { "redis-\(rawValue)" }
        var processName: String { "redis-\(rawValue)" }
    }

    let role: Role
    let directory: StateDirectory
    let ports: Ports
    let user: StoreUser

    func prepare() throws {
        let data = try user.folder(role.processName, in: directory)
        let path = "\(data)/redis.conf"
        try directory.write(Data(settings(data: data).utf8), to: path, mode: 0o600, owner: user)
    }

    func plan() throws -> ProcessPlan {
        let data = try user.folder(role.processName, in: directory)
        return try ProcessPlan(
            name: role.processName, executable: Tool.path(of: "setpriv"),
            arguments: user.command(deathSignal: "TERM", Tool.path(of: "redis-server"), ["\(data)/redis.conf"]),
            environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC"], logFile: directory.log(role.processName),
            stage: 0, stopSignal: SIGTERM, stopSeconds: 20, build: "port \(ports[role.port])")
    }

    /// As redis.conf has a text with white space or quotes in it.
    private static func quoted(_ text: String) -> String {
        "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    private func settings(data: String) throws -> String {
        let common = try """
            # Written by `heartguard up`; changes made here are overwritten.
            bind 127.0.0.1
            port \(ports[role.port])
            protected-mode yes
            requirepass \(Secrets(directory: directory)[role.secret])
            dir \(Self.quoted(data))
            daemonize no
            logfile ""
            maxmemory 256mb
            tcp-keepalive 60

            """
        switch role {
        case .durable:
            // A token that was blocked must stay blocked after a power cut, so every write is on the disk before its
            // answer. These writes are few (a log-out each); "everysec" would be right for a busy server.
            return common + """
                maxmemory-policy noeviction
                appendonly yes
                appendfsync always
                aof-load-truncated yes
                save 3600 1 300 100

                """
        case .cache:
            return common + """
                maxmemory-policy allkeys-lru
                appendonly no
                save ""

                """
        }
    }
}
