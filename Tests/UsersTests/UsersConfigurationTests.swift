internal import Application
internal import Foundation
internal import Testing
internal import Tokens

@testable internal import Users

@Suite struct `The users service's configuration` {
    /// A folder of files that settings name, removed with the test.
    private func withSettings(_ body: (inout [String: String]) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "heartguard-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ name: String, _ text: String) throws -> String {
            let url = folder.appending(path: name)
            try text.write(to: url, atomically: true, encoding: .utf8)
            return url.path
        }
        var settings = [
            "HEARTGUARD_LISTEN_PORT": "0", "HEARTGUARD_POSTGRES_HOST": "127.0.0.1",
            "HEARTGUARD_POSTGRES_PASSWORD_FILE": try file("postgres", "secret"),
            "HEARTGUARD_REDIS_DURABLE_HOST": "127.0.0.1", "HEARTGUARD_REDIS_DURABLE_PORT": "6379",
            "HEARTGUARD_REDIS_CACHE_HOST": "127.0.0.1", "HEARTGUARD_REDIS_CACHE_PORT": "6380",
            "HEARTGUARD_TOKEN_JWKS_FILE": try file("jwks", "{\"keys\":[]}"),
            "HEARTGUARD_TOKEN_SIGNING_KEY_FILE": try file("key", TokenSigner.newPrivateKeyPEM()),
            "HEARTGUARD_OPERATOR_EMAIL": "Root@Example.org",
            "HEARTGUARD_OPERATOR_PASSWORD_FILE": try file("operator", "correct horse battery staple\n"),
            "SHORT": try file("short", "short\n"),
        ]
        try body(&settings)
    }

    @Test func `is complete with an operator or without one`() throws {
        try withSettings { settings in
            let with = try UsersConfiguration(environment: settings)
            settings["HEARTGUARD_OPERATOR_EMAIL"] = nil
            settings["HEARTGUARD_OPERATOR_PASSWORD_FILE"] = nil
            let without = try UsersConfiguration(environment: settings)

            #expect(with.operatorAccount?.email.text == "root@example.org")
            #expect(with.operatorAccount?.password.text == "correct horse battery staple")
            #expect(without.operatorAccount == nil)
        }
    }

    @Test func `reports everything that is missing or wrong at once`() throws {
        try withSettings { settings in
            settings["HEARTGUARD_TOKEN_SIGNING_KEY_FILE"] = nil
            settings["HEARTGUARD_POSTGRES_HOST"] = nil
            settings["HEARTGUARD_OPERATOR_EMAIL"] = "root"
            settings["HEARTGUARD_OPERATOR_PASSWORD_FILE"] = settings["SHORT"]

            let error = #expect(throws: SettingsError.self) { try UsersConfiguration(environment: settings) }

            let problems = try #require(error?.problems)
            for variable in [
                "HEARTGUARD_TOKEN_SIGNING_KEY_FILE", "HEARTGUARD_POSTGRES_HOST", "HEARTGUARD_OPERATOR_EMAIL",
                "HEARTGUARD_OPERATOR_PASSWORD_FILE",
            ] {
                #expect(problems.contains { $0.hasPrefix(variable) }, "\(variable)")
            }
        }
    }
}
