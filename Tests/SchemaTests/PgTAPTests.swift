internal import Foundation
internal import TestSupport
internal import Testing

/// The suites that are written in SQL with pgTAP, each in a copy of the migrated database.
@Suite struct `The schema` {
    /// What a suite found: the lines that are not `ok`, and how many are.
    private func run(_ suite: String, settings: [String] = []) async throws -> (passed: Int, complaints: [String]) {
        try await withSchema { server, database in
            let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "SQL/\(suite).sql")
            let printed = try await server.psql(file: file.path, database: database, settings: settings)
            let lines = printed.split(separator: "\n").map(String.init)
            return (
                lines.count { $0.hasPrefix("ok ") || $0.contains("|ok ") },
                lines.filter { $0.contains("not ok ") || $0.hasPrefix("#") }
            )
        }
    }

    @Test func `gives every role what it may do with every table, and no row of anybody else`() async throws {
        let (passed, complaints) = try await run("row_level_security")

        #expect(complaints == [])
        #expect(passed > 1_500)
    }

    @Test func `has an index for each of the nine hottest queries`() async throws {
        let (passed, complaints) = try await run("performance_indexes", settings: ["rows=20000", "people=200"])

        #expect(complaints == [])
        #expect(passed == 9)
    }
}
