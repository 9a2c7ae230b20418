import Foundation
import Redis
import Testing

@testable import Application

@Suite struct `Where shared state is` {
    /// The settings besides those that are given are those of a Gateway whose Redis servers ask for nothing.
    private func read(_ given: [String: String]) throws -> ServiceConfiguration {
        let path = FileManager.default.temporaryDirectory.appending(path: "setting-\(UUID().uuidString)").path
        try "{}\n".write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }  // A leftover in the temporary folder harms nobody.
        var variables = ["HEARTGUARD_LISTEN_PORT": "0", "HEARTGUARD_TOKEN_JWKS_FILE": path]
        for role in ["DURABLE", "CACHE"] {
            variables["HEARTGUARD_REDIS_\(role)_HOST"] = "redis"
            variables["HEARTGUARD_REDIS_\(role)_PORT"] = "6379"
        }
        // A file that is there stands for every other one.
        variables.merge(given.mapValues { $0 == "FILE" ? path : $0 }) { $1 }
        var settings = Settings(environment: variables)
        let read = ServiceConfiguration(service: "gateway", keepsRecords: false, from: &settings)
        try settings.finish()
        return read
    }

    @Test func `is reached in the clear by the default user, unless something else is said`() throws {
        let settings = try read([:])

        #expect(settings.durableRedis.tls == nil)
        #expect(settings.cacheRedis.username == nil)
    }

    @Test func `may be behind TLS and a user of the access list, each role for itself`() throws {
        let settings = try read([
            "HEARTGUARD_REDIS_DURABLE_CA_FILE": "FILE", "HEARTGUARD_REDIS_DURABLE_USERNAME": "heartguard",
            "HEARTGUARD_REDIS_CACHE_TLS": "on",
        ])

        #expect(settings.durableRedis.tls?.trustRoots != nil)
        #expect(settings.durableRedis.username == "heartguard")
        #expect(settings.cacheRedis.tls == RedisTLS())
        #expect(settings.cacheRedis.username == nil)
    }

    @Test(arguments: [["TLS": "yes"], ["TLS": "off", "CA_FILE": "FILE"]])
    func `is refused with a sentence when it makes no sense`(_ given: [String: String]) {
        let given = Dictionary(uniqueKeysWithValues: given.map { ("HEARTGUARD_REDIS_CACHE_\($0)", $1) })

        #expect(throws: SettingsError(problems: ["HEARTGUARD_REDIS_CACHE_TLS has to be on or, without HEARTGUARD_REDIS_CACHE_CA_FILE, off."])) {
            try read(given)
        }
    }
}
