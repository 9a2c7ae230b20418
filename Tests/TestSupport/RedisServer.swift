internal import Foundation

/// A `redis-server` of the test's own: on a free port of the loopback, in a temporary folder, stopped by its process
/// id. Nothing that the machine already runs is touched.
///
/// A small shell starts and ends the server on our word. Its input is a pipe that closes when the test process ends in
/// whatever way; then it kills the server and removes the folder.
package actor RedisServer {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package nonisolated let port: Int
    private let folder: String
    private let words: FileHandle
    /// What the shell and the server print.
    private let lines: AsyncStream<String>

    /// Starts a server, runs the body, and stops the server however the body ends.
    ///
    /// - Parameter flags: further ones for the command line, such as `["--maxmemory-policy", "allkeys-lru"]`; the word
    ///   `PORT` stands for the server's port, as in `["--port", "0", "--tls-port", "PORT"]`.
    package static func with<Value>(
        _ flags: [String] = [], isolation: isolated (any Actor)? = #isolation,
        _ body: (RedisServer) async throws -> Value
    ) async throws -> Value {
        let server = try await start(flags)
        do {
            let value = try await body(server)
            await server.stop()
            return value
        } catch {
            await server.stop()
            throw error
        }
    }

    /// Starts a server, to be ended by `stop`.
    package static func start(_ flags: [String] = []) async throws -> RedisServer {
        // Between finding a free port and using it another process may take it; then another port is tried.
        var failure: any Error = Failure(description: "redis-server was not started")
        for _ in 0..<5 {
            let server = try RedisServer(port: FreePort.find(), flags: flags)
            do {
                try await server.launch()
                return server
            } catch {
                failure = error
                await server.stop()
            }
        }
        throw failure
    }

    private init(port: Int, flags: [String]) throws {
        self.port = port
        folder = FileManager.default.temporaryDirectory.appending(path: "heartguard-redis-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)

        let (input, output) = (Pipe(), Pipe())
        // A child that is started later must not hold our end open, or the shell would not see it close.
        for handle in [input.fileHandleForWriting, output.fileHandleForReading] {
            _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        // $0 is the folder, and the rest is the server's command line.
        shell.arguments =
            ["-c", Self.script, folder, "redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--dir", folder]
            + ["--save", "", "--appendonly", "no", "--loglevel", "notice"]
            + flags.map { $0 == "PORT" ? "\(port)" : $0 }
        shell.standardInput = input
        shell.standardOutput = output
        shell.standardError = output
        try shell.run()
        words = input.fileHandleForWriting
        lines = readLines(of: output.fileHandleForReading)
    }

    /// The server runs in the foreground of a subshell, which tells of its end. (The shell's own `wait` would not return:
    /// it needs SIGCHLD, which is blocked in the children of Foundation's `Process`.)
    private static let script = """
        end() { if [ -f "$0/pid" ]; then kill -KILL "$(cat "$0/pid")"; fi; }
        while read -r word; do
          case $word in
            launch) (
              /bin/sh -c 'echo $$ >"$0/pid"; exec "$@"' "$0" "$@" </dev/null
              rm -f "$0/pid"
              echo exited
            ) & ;;
            kill) end ;;
            suspend) kill -STOP "$(cat "$0/pid")"; echo suspended ;;
            resume) kill -CONT "$(cat "$0/pid")"; echo resumed ;;
            stop) break ;;
          esac
        done
        end
        rm -rf "$0"
        echo stopped
        """

    /// Starts the process, again after `kill`, on the same port and with the same folder; waits until it is ready.
    package func launch() async throws {
        try say("launch")
        var log = ""
        for await line in lines {
            if line.contains("Ready to accept connections") { return }
            log += line + "\n"
            if line == "exited" { break }
        }
        throw Failure(description: "redis-server did not start: \(log)")
    }

    /// Ends the process at once, as a crash would (`kill -9`), and waits until it is gone.
    package func kill() async throws { try await ask("kill", until: "exited") }

    /// Stops the process until `resume`: nothing in it runs, while its connections stay.
    package func suspend() async throws { try await ask("suspend", until: "suspended") }
    package func resume() async throws { try await ask("resume", until: "resumed") }

    /// Ends the process and removes its folder.
    package func stop() async {
        // A shell that is gone already has cleaned up.
        try? await ask("stop", until: "stopped")
    }

    private func ask(_ word: String, until answer: String) async throws {
        try say(word)
        for await line in lines where line == answer { return }
    }

    private func say(_ word: String) throws { try words.write(contentsOf: Data("\(word)\n".utf8)) }
}
