import Contracts
import Foundation
import RPC
import Testing

@testable import Gateway

/// The table of docs/operations.md that says what each method does without its stores.
@Suite struct `The page about operations` {
    private static let begin = "<!-- methods without their stores: made of the contracts, kept by a test -->"
    private static let end = "<!-- end of the methods -->"

    private var page: String {
        get throws {
            let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/operations.md")
            return try String(contentsOf: file.standardizedFileURL, encoding: .utf8)
        }
    }

    private static var table: [String] {
        let head = [
            "| method | cost | cache Redis gone | durable Redis gone | Postgres gone |", "| --- | --- | --- | --- | --- |",
        ]
        let methods = ContractRegistry.methods.map(\.descriptor).filter { method in
            method.service.hasPrefix("heartguard.") && method.policy.access != .service
                && (Backend(serving: method) != nil || method.service.hasPrefix("heartguard.gateway."))
        }
        return head + methods.map { method in
            let policy = method.policy
            let service = method.service.split(separator: ".").last.map(String.init) ?? method.service
            return "| \(service)/\(method.name) | \(policy.cost) | \(cache(policy)) | \(durable(method)) | \(postgres(method)) |"
        }
    }

    private static func cache(_ policy: MethodPolicy) -> String {
        guard policy.onRedisLoss == .failOpen else { return "closed: UNAVAILABLE" }
        return policy.cacheTTL == nil ? "open, on the share" : "open, on the share; from Postgres"
    }

    private static func durable(_ method: MethodDescriptor) -> String {
        if method.name.hasPrefix("LogOut") { return "UNAVAILABLE, though on record" }
        return method.policy.access == .anyone ? "open" : "open, sessions from Postgres"
    }

    private static func postgres(_ method: MethodDescriptor) -> String {
        // What cannot be put on record is not answered.
        if method.policy.audit != .none { return "UNAVAILABLE" }
        if Backend(serving: method) == nil {
            return "its parts marked"
        }
        if method.service.hasSuffix(".IndexService") { return "answers, from memory" }
        return "UNAVAILABLE"
    }

    @Test func `says of each method what its contract says`() throws {
        let lines = try page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let begin = try #require(lines.firstIndex(of: Self.begin))
        let end = try #require(lines.firstIndex(of: Self.end))

        let written = Array(lines[(begin + 1)..<end])
        let expected = Self.table
        #expect(written == expected, "The table should be:\n\(expected.joined(separator: "\n"))")
    }
}
