import Application
import Foundation
import Resilience
import Testing

@testable import Gateway

@Suite struct `The Gateway's settings` {
    /// All that must be said, and changes to it.
    private func configuration(_ changes: [String: String] = [:]) throws -> GatewayConfiguration {
        let jwks = FileManager.default.temporaryDirectory.appending(path: "jwks-\(UUID().uuidString)")
        try "{}".write(to: jwks, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: jwks) }
        var settings = [
            "HEARTGUARD_LISTEN_PORT": "0", "HEARTGUARD_JSON_PORT": "0",
            "HEARTGUARD_REDIS_DURABLE_HOST": "127.0.0.1", "HEARTGUARD_REDIS_DURABLE_PORT": "1",
            "HEARTGUARD_REDIS_CACHE_HOST": "127.0.0.1", "HEARTGUARD_REDIS_CACHE_PORT": "2",
            "HEARTGUARD_TOKEN_JWKS_FILE": jwks.path,
        ]
        for backend in Backend.allCases { settings["HEARTGUARD_\(backend.rawValue.uppercased())_ADDRESS"] = "127.0.0.1:3" }
        return try GatewayConfiguration(environment: settings.merging(changes) { $1 })
    }

    @Test func `limit and guard as the page about operations says`() throws {
        let configuration = try configuration()

        #expect(configuration.limits.signedIn == RateLimit(units: 1_200, window: .seconds(60)))
        #expect(configuration.limits.anonymous == RateLimit(units: 600, window: .seconds(60)))
        #expect(configuration.limits.algorithm == .gcra)
        #expect(configuration.shares.patience == .milliseconds(30))
        #expect(configuration.shares.assumedReplicas == 4)
        #expect(configuration.guards.breaker.minimumCalls == 20)
        #expect(configuration.guards.breaker.failureShare == 0.5)
        #expect(configuration.guards.breaker.openTime == .seconds(5))
        #expect(configuration.guards.calls == 512)
        #expect(configuration.guards.waitingCalls == 512)
        #expect(configuration.guards.wait == .seconds(1))
    }

    @Test func `name what cannot be used`() {
        let error = #expect(throws: SettingsError.self) {
            try configuration(["HEARTGUARD_RATE_ALGORITHM": "fair", "HEARTGUARD_BREAKER_FAILURE_PERCENT": "0"])
        }

        #expect("\(error.map { "\($0)" } ?? "")".contains("HEARTGUARD_RATE_ALGORITHM is neither gcra nor window."))
        #expect("\(error.map { "\($0)" } ?? "")".contains("HEARTGUARD_BREAKER_FAILURE_PERCENT"))
    }
}
