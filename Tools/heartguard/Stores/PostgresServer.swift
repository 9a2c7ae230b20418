internal import Foundation
internal import Glibc

/// The cluster's own PostgreSQL: its data folder, its settings, its place in the supervisor's plan.
struct PostgresServer: Sendable {
    let directory: StateDirectory
    let ports: Ports
    let user: StoreUser

    static let database = "heartguard"

    /// Makes the data folder when there is none, and writes the settings anew.
    func prepare() throws {
        let data = try user.folder("postgres", in: directory)
        if !FileManager.default.fileExists(atPath: "\(data)/PG_VERSION") { try initialise(data) }
        try writeSettings(data)
    }

    func plan() throws -> ProcessPlan {
        let data = try user.folder("postgres", in: directory)
        return try ProcessPlan(
            name: "postgres", executable: Tool.path(of: "setpriv"),
            // SIGINT is PostgreSQL's fast shutdown: transactions are ended, what was committed is kept.
            arguments: user.command(deathSignal: "INT", Tool.path(of: "postgres"), ["-D", data]),
            environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC"], logFile: directory.log("postgres"),
            stage: 0, stopSignal: SIGINT, stopSeconds: 60, build: "port \(ports[.postgres])")
    }

    /// initdb leaves half a folder behind when it is interrupted, so it works beside the real one, which then appears at once.
    private func initialise(_ data: String) throws {
        let fresh = "\(data)/fresh"
        if FileManager.default.fileExists(atPath: fresh) { try FileManager.default.removeItem(atPath: fresh) }
        let passwordFile = "\(data)/superuser-password"
        try directory.write(Data(Secrets(directory: directory)["postgres-superuser"].utf8), to: passwordFile, mode: 0o600, owner: user)
        defer { try? FileManager.default.removeItem(atPath: passwordFile) }  // in a folder that only the server's user enters
        let arguments = [
            "--pgdata=\(fresh)", "--username=postgres", "--pwfile=\(passwordFile)", "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-instructions",
        ]
        try Tool.run("setpriv", user.identity + ["--"] + [Tool.path(of: "initdb")] + arguments)
        let settings = "\(fresh)/postgresql.conf"
        let handle = try FileHandle(forWritingTo: URL(filePath: settings))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("\ninclude = 'heartguard.conf'\n".utf8))
        try handle.close()
        // PG_VERSION goes last: it is what says that the folder is complete
        for name in try FileManager.default.contentsOfDirectory(atPath: fresh) where name != "PG_VERSION" {
            try? FileManager.default.removeItem(atPath: "\(data)/\(name)")  // left by a run that was cut short here
            try FileManager.default.moveItem(atPath: "\(fresh)/\(name)", toPath: "\(data)/\(name)")
        }
        try FileManager.default.moveItem(atPath: "\(fresh)/PG_VERSION", toPath: "\(data)/PG_VERSION")
        try FileManager.default.removeItem(atPath: fresh)
    }

    private func writeSettings(_ data: String) throws {
        let settings = """
            # Written by `heartguard up`; changes made here are overwritten.
            listen_addresses = '127.0.0.1'
            port = \(ports[.postgres])
            unix_socket_directories = ''
            max_connections = 200
            shared_buffers = 256MB
            # The first change of a page after a checkpoint logs the page as a whole: seldom, a bulk load writes a tenth of the log.
            checkpoint_timeout = 15min
            max_wal_size = 4GB
            # Statements here are short: to compile one takes longer than to run it.
            jit = off
            timezone = 'UTC'
            log_timezone = 'UTC'
            # What was acknowledged is on the disk.
            fsync = on
            synchronous_commit = on
            full_page_writes = on
            # A statement's values are health data: none reaches the log, not in a failed statement and not in a detail line.
            log_statement = 'none'
            log_min_duration_statement = -1
            log_min_error_statement = panic
            log_error_verbosity = terse
            log_parameter_max_length = 0
            log_parameter_max_length_on_error = 0
            log_line_prefix = '%m [%p] %q%u %a '
            # A client that vanishes in a transaction holds its locks for no longer than this.
            idle_in_transaction_session_timeout = '60s'
            tcp_keepalives_idle = 30
            """
        let path = "\(data)/heartguard.conf"
        try directory.write(Data((settings + "\n").utf8), to: path, mode: 0o600, owner: user)
    }
}
