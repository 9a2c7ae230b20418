/// A pgbouncer in transaction mode before a test's server, with few sessions for many clients.
package final class PgBouncer: Sendable {
    package let port: Int
    private let process: ServerProcess

    private init(port: Int, process: ServerProcess) {
        self.port = port
        self.process = process
    }

    /// - Parameters:
    ///   - sessions: of the server, for each database and user.
    ///   - roles: who is let in besides the superuser.
    ///   - ignoresOptions: lets those in who ask for defaults of their session, and drops them; as Debian has it they are refused.
    package static func start(
        before server: PostgresServer, sessions: Int, roles: [String] = [], ignoresOptions: Bool = true
    ) async throws -> PgBouncer {
        let port = try FreePort.find()
        let users = ([server.superuser] + roles).map { "'\($0)'" }.joined(separator: " ")
        let process = try await ServerProcess.start(
            name: "pgbouncer",
            unprivilegedUser: "postgres",
            prepare: """
                printf '"%s" ""\\n' \(users) >"$folder/users" &&
                printf '%s\\n' '[databases]' '* = host=\(server.host) port=\(server.port)' '[pgbouncer]' \
                'listen_addr = 127.0.0.1' 'listen_port = \(port)' 'unix_socket_dir =' 'auth_type = trust' \
                "auth_file = $folder/users" 'pool_mode = transaction' 'default_pool_size = \(sessions)' \
                '\(ignoresOptions ? "ignore_startup_parameters = options" : "")' "logfile = $folder/log" "pidfile = $folder/pid" \
                >"$folder/pgbouncer.ini"
                """,
            start: """
                /usr/sbin/pgbouncer -d -q "$folder/pgbouncer.ini" &&
                until /usr/lib/postgresql/15/bin/pg_isready -q -h 127.0.0.1 -p \(port) -U '\(server.superuser)' -d postgres; do
                sleep 0.1; done
                """,
            stop: "kill \"$(cat \"$folder/pid\")\""
        )
        return PgBouncer(port: port, process: process)
    }

    package func end() async throws { try await process.end() }
}
