internal import Application
internal import Contracts
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Redis
internal import Resilience
internal import TestSupport
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

/// What every service asks before it serves the holder of a token, while the stores that could tell are lost one after the other.
@Suite struct `A session whose stores are lost` {
    @Test(arguments: RedisServer.Loss.allCases)
    func `is judged by the record without the blocklist, and by nobody without both`(loss: RedisServer.Loss) async throws {
        try await RedisServer.with { server in
            try await withUsers(redis: server) { users in
                let ada = Person()
                let (ended, standing) = (try await users.register(ada), try await users.signIn(ada))
                _ = try await users.service.logOut(.init(), context: users.context(ended))
                let claims = (ended: try await users.claims(ended), standing: try await users.claims(standing))

                try await withCheck(server) { check, redisNetwork, postgresNetwork in
                    for isLost in [false, true] {
                        if isLost { try await server.lose(loss, network: redisNetwork) }
                        for _ in 0..<3 {
                            #expect(try await check.standing(of: claims.ended) == .revoked)
                            #expect(try await check.standing(of: claims.standing) == .standing)
                        }
                    }

                    postgresNetwork.drop()
                    for claims in [claims.ended, claims.standing] {
                        await Deadline.with(.after(.seconds(1))) {
                            await expect(.unavailable) { try await check.standing(of: claims) }
                        }
                    }
                }
            }
        }
    }

    /// Lends what a service has, over networks that can be cut.
    private func withCheck(
        _ server: RedisServer, _ body: (SessionCheck, DroppingProxy, DroppingProxy) async throws -> Void
    ) async throws {
        let redisNetwork = try await DroppingProxy(to: server.port)
        let durable = Redis(configuration: RedisConfiguration(port: redisNetwork.port, role: .durable), logger: quiet)
        async let _: Void = durable.run()
        var database = try await usersDatabase()
        let postgresNetwork = try await DroppingProxy(to: database.port)
        database.port = postgresNetwork.port
        try await PostgresServer.withClient(database) { postgres in
            let check = SessionCheck(blocklist: TokenBlocklist(redis: durable), postgres: postgres)
            try await body(check, redisNetwork, postgresNetwork)
        }
        try await redisNetwork.close()
        try await postgresNetwork.close()
    }
}
