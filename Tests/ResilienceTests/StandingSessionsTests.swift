import Foundation
import Redis
import Resilience
import TestSupport
import Testing
import Time

/// Sessions of one account, from the oldest to the youngest.
private let (account, old, young) = (UUIDv7.make(), UUIDv7.make(), UUIDv7.make())

/// What a program knows of sessions that it has asked of, while others revoke.
@Suite struct `A session that is known to stand` {
    private let soon = Instant.now() + .seconds(900)

    /// Lends the list as two programs have it, the first of which goes by what it heard for an hour.
    private func withPrograms(
        follows: Bool = false, _ body: (_ one: TokenBlocklist, _ other: TokenBlocklist, Redis) async throws -> Void
    ) async throws {
        try await withRedisClients(2, .durable) { clients, _ in
            let one = TokenBlocklist(redis: clients[0], lease: .seconds(3_600))
            let other = TokenBlocklist(redis: clients[1], lease: .milliseconds(1))
            #expect(try await other.declareComplete(since: other.run()))
            let work: [@Sendable () async -> Void] = follows ? [{ await one.run(every: .milliseconds(1)) }] : []
            try await running(work) { try await body(one, other, clients[1]) }
        }
    }

    /// Asks of a session, so that it is known.
    private func ask(_ blocklist: TokenBlocklist, _ sessions: UUID...) async throws {
        for session in sessions {
            #expect(try await blocklist.standing(session: session, of: account) == .standing)
            #expect(blocklist.knows(session, of: account))
        }
    }

    private func until(_ condition: () async throws -> Bool) async throws {
        while try await !condition() { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test func `is one that was asked of, of the account that was asked of, and no other`() async throws {
        try await withPrograms { one, _, _ in
            #expect(!one.knows(old, of: account))
            try await ask(one, old)

            #expect(!one.knows(old, of: UUIDv7.make()))
            #expect(!one.knows(young, of: account))
        }
    }

    @Test func `is known no more when another program has revoked it`() async throws {
        try await withPrograms(follows: true) { one, other, _ in
            try await ask(one, old, young)
            try await other.revoke([.session(old, expiresAt: soon)])
            try await until { !one.knows(old, of: account) }

            #expect(one.knows(young, of: account))
            #expect(try await one.standing(session: old, of: account) == .revoked)
        }
    }

    @Test func `is known no more when its account's sessions up to it are revoked`() async throws {
        try await withPrograms(follows: true) { one, other, _ in
            try await ask(one, old, young)
            try await other.revoke([.sessions(of: account, upTo: old, expiresAt: soon)])
            try await until { !one.knows(old, of: account) }

            #expect(one.knows(young, of: account))
        }
    }

    @Test func `is asked of anew when more was revoked than is kept of the last`() async throws {
        try await withPrograms { one, other, _ in
            try await ask(one, old)
            try await other.revoke((0..<1_500).map { _ in .session(UUIDv7.make(), expiresAt: soon) })
            #expect(one.knows(old, of: account))

            try await running([{ await one.run(every: .milliseconds(1)) }]) { try await until { !one.knows(old, of: account) } }
            try await ask(one, old)
        }
    }

    @Test(arguments: [["FLUSHALL"], ["SCRIPT", "FLUSH"]])
    func `is known no more when Redis has lost the list or its scripts`(loss: [String]) async throws {
        try await withPrograms(follows: true) { one, other, redis in
            try await ask(one, old)
            _ = try await redis.send(RedisCommand(loss))
            try await until { !one.knows(old, of: account) }

            #expect(try await one.standing(session: old, of: account) == .unknown)
            #expect(try await other.declareComplete(since: other.run()))
            try await ask(one, old)
        }
    }

    @Test func `is known no more when the list was filled anew`() async throws {
        try await withPrograms(follows: true) { one, other, _ in
            try await ask(one, old)
            #expect(try await other.declareComplete(since: other.run()))
            try await until { !one.knows(old, of: account) }
        }
    }

    @Test func `is not known by a program that did not hear of the list for as long as a lease`() async throws {
        try await withPrograms { _, other, _ in
            #expect(try await other.standing(session: old, of: account) == .standing)
            try await until { !other.knows(old, of: account) }
        }
    }

    @Test func `has ended everywhere when its end is acknowledged, whoever asks meanwhile`() async throws {
        try await withRedisClients(3, .durable) { clients, _ in
            // Longer than a busy machine takes to hear what it asked, or nobody ever knew anything.
            let programs = clients.map { TokenBlocklist(redis: $0, lease: .milliseconds(200)) }
            #expect(try await programs[0].declareComplete(since: programs[0].run()))
            let sessions = (0..<60).map { _ in UUIDv7.make() }
            let wasKnown = Flag()
            // One of the programs does not follow the list, as if Redis did not answer it.
            try await running(programs.dropLast().map { program in { await program.run(every: .milliseconds(2)) } }) {
                try await withThrowingTaskGroup { group in
                    for session in sessions {
                        for program in programs {
                            group.addTask {
                                while true {
                                    if program.knows(session, of: account) {
                                        wasKnown.set()
                                        await Task.yield()
                                    } else if try await program.standing(session: session, of: account) == .revoked {
                                        return
                                    }
                                }
                            }
                        }
                        group.addTask {
                            try await until { wasKnown.isSet }
                            try await Task.sleep(for: .milliseconds(Int.random(in: 1...500)))
                            try await programs.randomElement()?.revoke([.session(session, expiresAt: soon)])
                            for program in programs { #expect(!program.knows(session, of: account)) }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(wasKnown.isSet)
        }
    }
}
