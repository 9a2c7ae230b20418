internal import ArgumentParser
internal import Foundation
internal import Redis
internal import Resilience

/// Has each of many callers counted once by the limiter that keeps one integer a caller.
struct IdentitiesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "identities", abstract: "Counts a call of each of many callers.")

    @OptionGroup var server: ServerOptions

    @Option(help: "Callers.")
    var count = 1_000_000

    func run() async throws {
        try await server.withRedis { redis in
            // All are in the window until the memory has been looked at.
            let limiter = GCRALimiter(redis: redis, limit: RateLimit(units: 2, window: .seconds(7_200)), name: "u")
            try await withThrowingDiscardingTaskGroup { group in
                for _ in 0..<64 {
                    group.addTask {
                        for _ in 0..<count / 64 {
                            // As long as the Gateway's names of people.
                            let id = Data((0..<16).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString().prefix(22)
                            _ = try await limiter.admit(String(id), cost: 1)
                        }
                    }
                }
            }
            print("{\"identities\": \(count / 64 * 64)}")
        }
    }
}
