internal import Foundation
internal import Tokens

/// Settings that name files in a folder of their own, which goes with the test.
struct SettingsFolder: ~Copyable {
    private let folder: URL
    /// All that the service needs, for stores that nobody has to answer for.
    private(set) var settings: [String: String] = [:]

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "heartguard-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let key = TokenSigner.newPrivateKeyPEM()
        settings = [
            "HEARTGUARD_LISTEN_PORT": "0", "HEARTGUARD_POSTGRES_HOST": "127.0.0.1",
            "HEARTGUARD_POSTGRES_PASSWORD_FILE": try file("postgres", "secret"),
            "HEARTGUARD_REDIS_DURABLE_HOST": "127.0.0.1", "HEARTGUARD_REDIS_DURABLE_PORT": "6379",
            "HEARTGUARD_REDIS_CACHE_HOST": "127.0.0.1", "HEARTGUARD_REDIS_CACHE_PORT": "6380",
            "HEARTGUARD_TOKEN_JWKS_FILE": try file(
                "jwks", TokenSigner(privateKeyPEM: key, issuer: "heartguard").jwks),
            "HEARTGUARD_TOKEN_SIGNING_KEY_FILE": try file("key", key),
            "HEARTGUARD_OPERATOR_EMAIL": "Root-\(UUID().uuidString)@Example.org",
            "HEARTGUARD_OPERATOR_PASSWORD_FILE": try file("operator", "correct horse battery staple\n"),
            "HEARTGUARD_VITALS_ADDRESS": "127.0.0.1:7102", "HEARTGUARD_CHAT_ADDRESS": "127.0.0.1:7103",
            "HEARTGUARD_VECTORS_ADDRESS": "127.0.0.1:7104",
            "HEARTGUARD_LOG_LEVEL": "critical",
        ]
    }

    // What cannot be removed lies in the system's temporary folder and is in nobody's way.
    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Writes a file; returns its path.
    borrowing func file(_ name: String, _ text: String) throws -> String {
        let url = folder.appending(path: name)
        try text.write(to: url, atomically: true, encoding: .utf8)
        return url.path
    }
}
