import Foundation
import Jobs
import Logging
import Postgres
import Redis
import TestSupport
import Time

let quiet = Logger(label: "jobs-tests") { _ in SwiftLogNoOpLogHandler() }

struct TestPayload: Codable, Sendable, Hashable {
    var milliseconds = 0
}

/// Runs a durable Redis of the test's own, with a client of it.
func withRedis<Value>(flags: [String] = [], _ body: (Redis, RedisServer) async throws -> Value) async throws -> Value {
    try await RedisServer.with(["--appendonly", "yes", "--appendfsync", "always"] + flags) { server in
        try await withClient(of: server) { try await body($0, server) }
    }
}

func withClient<Value>(of server: RedisServer, _ body: (Redis) async throws -> Value) async throws -> Value {
    // A long timeout, so that a busy machine fails no test.
    try await withClient(port: server.port, timeout: .seconds(60), body)
}

func withClient<Value>(port: Int, timeout: Duration, _ body: (Redis) async throws -> Value) async throws -> Value {
    let redis = Redis(
        configuration: RedisConfiguration(port: port, role: .durable, connectTimeout: timeout, commandTimeout: timeout), logger: quiet)
    let running = Task { await redis.run() }
    let result: Result<Value, any Error>
    do { result = .success(try await body(redis)) } catch { result = .failure(error) }
    running.cancel()
    await running.value
    return try result.get()
}

/// Runs a worker while `body` does something else.
func working<Value>(_ worker: JobWorker, _ body: () async throws -> Value) async throws -> Value {
    let running = Task { await worker.run() }
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    running.cancel()
    await running.value
    return try result.get()
}

/// Asks until there is an answer. A test that never gets one is ended by the time limit of its suite.
func eventually<Value>(_ body: () async throws -> Value?) async throws -> Value {
    while true {
        if let value = try await body() { return value }
        try await Task.sleep(for: .milliseconds(10))
    }
}

func eventually(_ condition: () async throws -> Bool) async throws {
    _ = try await eventually { () async throws -> Bool? in try await condition() ? true : nil }
}

let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// A program that a test starts, hears, and ends as it likes. It ends with its standard input, and so with the tests.
final class TestProcess: Sendable {
    private let process: Process
    private let input: FileHandle
    private let lines: LineBuffer

    init(_ executable: URL, _ arguments: [String]) throws {
        process = Process()
        let (toIt, fromIt) = (Pipe(), Pipe())
        for handle in [toIt.fileHandleForWriting, fromIt.fileHandleForReading] { _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC) }
        process.executableURL = executable
        process.arguments = arguments
        process.standardInput = toIt
        process.standardOutput = fromIt
        process.standardError = ProcessInfo.processInfo.environment["JOBS_TESTS_VERBOSE"] == nil
            ? FileHandle.nullDevice : FileHandle.standardError
        try process.run()
        input = toIt.fileHandleForWriting
        lines = LineBuffer(fromIt.fileHandleForReading)
    }

    static func ours(_ mode: String, _ server: RedisServer, _ queue: String, _ database: PostgresConfiguration, _ more: [String] = []) throws -> TestProcess {
        try TestProcess(
            root.appending(path: ".build/debug/JobsTestProcess"),
            [mode, "\(server.port)", queue, "\(database.port)", database.database] + more)
    }

    static func python(_ script: String, _ arguments: [String]) throws -> TestProcess {
        try TestProcess(
            root.appending(path: ".heartguard/venv/bin/python"),
            ["-u", root.appending(path: "Tests/JobsTests/Python/\(script)").path] + arguments)
    }

    /// The rest of the next line that begins so; those before it are passed over. Nil when the program has ended.
    func next(_ beginning: String) async -> String? {
        while let line = await lines.next() {
            if line.hasPrefix(beginning) { return String(line.dropFirst(beginning.count)).trimmingCharacters(in: .whitespaces) }
        }
        return nil
    }

    func tell(_ line: String) throws { try input.write(contentsOf: Data("\(line)\n".utf8)) }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits until it has ended, by itself or as it was told. Asked of the system: Foundation learns of it by a socket that a child which was
    /// started later holds open too.
    func ended() async throws {
        while let status = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8),
            let state = status.split(separator: ")").last?.split(separator: " ").first, state != "Z"
        {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    deinit { kill(process.processIdentifier, SIGKILL) }

    func end(_ signal: Int32) async throws {
        send(signal)
        try await ended()
    }
}

/// Lines, one for whoever asks next.
private actor LineBuffer {
    private var iterator: AsyncStream<String>.Iterator

    init(_ handle: FileHandle) {
        iterator = readLines(of: handle).makeAsyncIterator()
    }

    func next() async -> String? {
        var copy = iterator
        let line = await copy.next(isolation: self)
        iterator = copy
        return line
    }
}

extension PostgresConfiguration {
    /// For a program that needs no database.
    static let none = PostgresConfiguration(host: "127.0.0.1", port: 1, database: "none", user: "none")
}

/// Lends a database with an outbox, a table of effects, and one in which jobs of the test program note what they have done.
func withJobsDatabase<Value>(_ body: (Postgres, PostgresConfiguration) async throws -> Value) async throws -> Value {
    let server = try await PostgresServer.shared
    return try await server.withDatabase { configuration in
        try await server.psql(
            """
            CREATE TABLE outbox (
                id uuid PRIMARY KEY, topic text NOT NULL, aggregate_id uuid NOT NULL, payload jsonb NOT NULL, attempts integer NOT NULL DEFAULT 0,
                last_error text, available_at timestamptz NOT NULL DEFAULT clock_timestamp(), published_at timestamptz,
                priority text NOT NULL DEFAULT 'normal', unique_key text);
            CREATE TABLE job_effects (
                instance text PRIMARY KEY, fence bigint NOT NULL, committed_at timestamptz,
                updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
            CREATE TABLE done (job text NOT NULL, fence bigint NOT NULL);
            """, database: configuration.database)
        return try await PostgresServer.withClient(configuration) { try await body($0, configuration) }
    }
}
