import NIOCore
import NIOPosix
import TestSupport
import Testing
import Time

@testable import Redis

@Suite struct `A client with a connection for each event loop` {
    @Test func `lets a task use that of the loop it runs on`() async throws {
        let loops = Array(MultiThreadedEventLoopGroup.singleton.makeIterator())
        let lanes = RedisLanes(RedisConfiguration(role: .cache), logger: .silent)

        #expect(lanes.all.count == loops.count)
        for loop in loops {
            let isOwn = try await loop.submit { lanes.next.eventLoop === loop }.get()
            #expect(isOwn)
        }
    }

    @Test func `goes on over the others while one has been lost`() async throws {
        try await withRedis { $0.connections = 2 } _: { redis, server in
            try await redis.ping()
            try await until { try await redis.send(["CLIENT", "LIST"]).text?.split(separator: "\n").count == 2 }

            try await server.refuseNewConnections(redis)
            var failures = 0
            for _ in 0..<200 where await code({ try await redis.ping() }) != nil { failures += 1 }

            // Those that were on their way when it was lost.
            #expect(failures <= 2)
        }
    }
}

extension RedisServer {
    /// Lets those that are connected stay but for the one that did not ask, and nobody else in.
    fileprivate func refuseNewConnections(_ redis: Redis) async throws {
        try await redis.send(["CONFIG", "SET", "maxclients", 1])
        try await redis.send(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
    }
}
