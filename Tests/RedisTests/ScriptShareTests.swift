import NIOCore
import TestSupport
import Testing

@testable import Redis

@Suite struct `Requests that go out together` {
    static let echo = RedisScript(
        """
        local answers = {}
        for i = 1, #KEYS do answers[i] = {KEYS[i], ARGV[2 * i - 1], ARGV[2 * i]} end
        return answers
        """)

    func share(_ key: String, _ script: RedisScript = echo, until deadline: NIODeadline = .distantFuture) -> RedisRequest {
        let request = RedisRequest(ScriptShare(of: script, keys: [key], arguments: [1, "x\(key)"]), deadline: deadline)
        _ = request.beginSending()
        return request
    }

    func text(_ write: RedisWrite) -> String {
        var buffer = ByteBuffer()
        write.write(to: &buffer)
        return String(buffer: buffer).replacing("\r\n", with: " ")
    }

    @Test func `share a run of the same script, whatever stands between them`() {
        let other = RedisScript("return {}")
        let single = RedisRequest([["GET", "a"]], deadline: .distantFuture)

        let writes = RedisWrite.grouping([share("a"), single, share("b"), share("c", other)])

        #expect(
            writes.map(text) == [
                "*9 $7 EVALSHA $40 \(Self.echo.sha1) $1 2 $1 a $1 b $1 1 $2 xa $1 1 $2 xb ",
                "*2 $3 GET $1 a ",
                "*6 $7 EVALSHA $40 \(other.sha1) $1 1 $1 c $1 1 $2 xc ",
            ])
    }

    @Test func `are no more in one run than do no harm to those behind them`() {
        let writes = RedisWrite.grouping((0..<150).map { share("\($0)") })

        #expect(writes.count == 3)
    }

    @Test func `get each its own answer`() async throws {
        let requests = [share("a"), share("b")]
        let write = RedisWrite.grouping(requests)[0]

        let isDone = write.settle([.array([.integer(1), .error(RESPError(line: "ERR two"))])])

        #expect(isDone)
        #expect(try await requests[0].answer().get() == [.integer(1)])
        #expect(try await requests[1].answer().get() == [.error(RESPError(line: "ERR two"))])
    }

    @Test func `get all the error of a run, and none an answer of a script that keeps no promise`() async throws {
        let (failed, strange) = ([share("a"), share("b")], [share("a"), share("b")])

        _ = RedisWrite.grouping(failed)[0].settle([.error(RESPError(line: "NOSCRIPT none"))])
        _ = RedisWrite.grouping(strange)[0].settle([.array([.integer(1)])])

        for request in failed { #expect(try await request.answer().get() == [.error(RESPError(line: "NOSCRIPT none"))]) }
        for request in strange {
            let error = await #expect(throws: RedisError.self) { try await request.answer().get() }
            #expect(error?.code == RedisError.unexpectedReply(to: "EVALSHA").code)
        }
    }

    @Test func `give up one by one`() async throws {
        let (hasty, patient) = (share("a", until: .uptimeNanoseconds(5)), share("b"))
        let write = RedisWrite.grouping([hasty, patient])[0]

        write.expire(at: .uptimeNanoseconds(5))
        let wasSettled = write.isSettled
        _ = write.settle([.array([.integer(1), .integer(2)])])

        #expect(!wasSettled)
        let error = await #expect(throws: RedisError.self) { try await hasty.answer().get() }
        #expect(error?.code == .timeout)
        #expect(try await patient.answer().get() == [.integer(2)])
    }

    @Test func `have as many keys each as they like`() {
        let requests = [(["a", "b"], "x"), (["c", "d"], "y")].map { keys, argument in
            RedisRequest(ScriptShare(of: Self.echo, keys: keys, arguments: [argument]), deadline: .distantFuture)
        }

        let writes = RedisWrite.grouping(requests + [share("e")])

        #expect(writes.map(text).first == "*9 $7 EVALSHA $40 \(Self.echo.sha1) $1 4 $1 a $1 b $1 c $1 d $1 x $1 y ")
        #expect(writes.count == 2)
    }

    @Test func `are finished for a caller who has given up, by a server that did not know the script`() async throws {
        let counting = RedisScript(
            answering: 2, arguments: 1, "local function answer(_, counter, amount) return redis.call('INCRBY', counter, amount) end")
        try await withRedis { redis, _ in
            let task = Task {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                return try await redis.finish(
                    sharing: counting, [(keys: ["a", "first"], arguments: [3]), (keys: ["b", "second"], arguments: [4])])
            }

            let answers = try await task.value
            let second = try await redis.integer(["INCRBY", "second", 0])

            #expect(answers == [.integer(3), .integer(4)])
            #expect(second == 4)
        }
    }

    @Test func `are answered by a server, which gets the script when it does not know it`() async throws {
        try await withRedis { redis, _ in
            for _ in 0..<2 {
                let answers = try await withThrowingTaskGroup { group in
                    for number in 0..<300 {
                        group.addTask { (number, try await redis.evaluate(sharing: Self.echo, key: "k\(number)", arguments: [number, "x"])) }
                    }
                    return try await group.reduce(into: [Int: RESPValue]()) { $0[$1.0] = $1.1 }
                }
                for number in 0..<300 {
                    let expected: [RESPValue] = ["k\(number)", "\(number)", "x"].map { .bytes(Array($0.utf8)) }
                    #expect(answers[number] == .array(expected))
                }
                try await redis.send(["SCRIPT", "FLUSH"])
            }
        }
    }

    @Test func `have their errors to themselves`() async throws {
        let adding = RedisScript(
            answering: 1, arguments: 2,
            "local function answer(key, amount, factor) return redis.call('INCRBY', key, amount * factor) end")
        try await withRedis { redis, _ in
            try await redis.set("word", to: "x")
            @Sendable func add(_ key: String, _ amount: String, _ factor: Int) async -> Result<RESPValue, RedisError> {
                do throws(RedisError) {
                    return .success(try await redis.evaluate(sharing: adding, key: key, arguments: [amount, factor]))
                } catch {
                    return .failure(error)
                }
            }

            async let sum = add("a", "2", 3)
            async let wrong = add("word", "1", 1)
            async let impossible = add("b", "x", 1)
            async let other = add("c", "5", 2)
            let results = await [sum, wrong, impossible, other].map { try? $0.get() }

            #expect(results == [.integer(6), nil, nil, .integer(10)])
        }
    }
}
