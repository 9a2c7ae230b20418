internal import Foundation
internal import Migrations
internal import Postgres
internal import Schema
internal import TestSupport
internal import Testing

@Suite struct `The command that migrates` {
    /// Runs `heartguard migrate up` and ends it as `kill -9` does after a while. Answers whether it was done before.
    private func migrate(_ database: String, on server: PostgresServer, killAfter delay: Duration) async throws -> Bool {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let password = FileManager.default.temporaryDirectory.appending(path: "schema-tests-\(database)")
        try Data("not asked for".utf8).write(to: password)
        defer { try? FileManager.default.removeItem(at: password) }  // in the folder for temporary files
        let process = Process()
        process.executableURL = root.appending(path: ".build/debug/heartguard")
        process.arguments = ["migrate", "up"]
        process.environment = ProcessInfo.processInfo.environment.merging([
            "HEARTGUARD_POSTGRES_HOST": server.host, "HEARTGUARD_POSTGRES_PORT": "\(server.port)",
            "HEARTGUARD_POSTGRES_DATABASE": database, "HEARTGUARD_POSTGRES_PASSWORD_FILE": password.path,
        ]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let end = ContinuousClock.now + delay
        while process.isRunning, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(2)) }
        kill(process.processIdentifier, SIGKILL)
        while process.isRunning { try await Task.sleep(for: .milliseconds(2)) }
        return process.terminationReason == .exit && process.terminationStatus == 0
    }

    /// Each run is killed a little later than the one before, until one gets to the end. What a run has finished stays.
    @Test func `is killed again and again, and the last run gives the same schema`() async throws {
        try await withEmptyDatabase { server, database in
            var kills = 0
            var delay = Duration.milliseconds(20)
            while try await !migrate(database, on: server, killAfter: delay) {
                kills += 1
                delay += .milliseconds(15)
                #expect(delay < .seconds(60))
            }

            #expect(kills > 3)
            let whole = try await withOwner(of: migrated.value, on: server) { try await Catalog.entries($0) }
            try await withOwner(of: database, on: server) { owner in
                #expect(try await Catalog.entries(owner) == whole)
                try await Migrator(owner, chain: Schema.chain, logger: quiet).verify()
            }
        }
    }
}
