import RPC
import Synchronization
import Testing
import Time

/// What a service was asked, in order.
final class Record: Sendable {
    private let entries = Mutex<[String]>([])

    @discardableResult
    func add(_ entry: String) -> Int {
        entries.withLock { entries in
            entries.append(entry)
            return entries.count
        }
    }

    var all: [String] { entries.withLock { $0 } }
}

private func policy(
    _ maxAttempts: Int = 3, backoff: Duration = .milliseconds(1), throttling: ServiceConfig.RetryThrottling? = nil
) -> ServiceConfig {
    let retry = RetryPolicy(
        maxAttempts: maxAttempts, initialBackoff: backoff, maxBackoff: backoff * 4, backoffMultiplier: 2,
        retryableStatusCodes: [.unavailable])
    return ServiceConfig(
        methods: [MethodConfig(names: [.init(service: "test.Notes")], repetition: .retry(retry))], retryThrottling: throttling)
}

@Suite struct `A call that a service config lets fail more than once` {
    /// A method that fails the first times that it is asked, and records how often its callers had tried before.
    private func failing(
        _ times: Int, _ record: Record, code: StatusCode = .unavailable, pushback: String? = nil
    ) -> MethodHandler {
        .unary(Notes.say) { note, context in
            let count = record.add(context.metadata["grpc-previous-rpc-attempts"] ?? "none")
            if let pushback { context.trailingMetadata.set("grpc-retry-pushback-ms", pushback) }
            if count <= times { throw RPCError(code, "Not now.") }
            context.trailingMetadata.set("x-after", "yes")
            return note
        }
    }

    private func say(
        _ handler: MethodHandler, _ config: ServiceConfig?, timeout: Duration? = nil
    ) async throws -> Result<UnaryResponse<Note>, RPCError> {
        try await withLoopback([handler], channel: { $0.serviceConfig = config }) { loopback in
            do throws(RPCError) {
                return .success(try await loopback.channel.unaryResponse(Notes.say, "a", options: .init(timeout: timeout)))
            } catch { return .failure(error) }
        }
    }

    @Test func `succeeds in the end, and tells the server which attempt it is`() async throws {
        let record = Record()

        let response = try await say(failing(2, record), policy()).get()

        #expect(response.message == "a")
        #expect(response.trailers["x-after"] == "yes")
        #expect(record.all == ["none", "1", "2"])
    }

    @Test func `fails as its last attempt did`() async throws {
        let record = Record()

        let result = try await say(failing(9, record), policy())

        #expect(result.failure?.code == .unavailable)
        #expect(result.failure?.message == "Not now.")
        #expect(record.all.count == 3)
    }

    @Test(arguments: [(StatusCode.unavailable, nil as ServiceConfig?), (.aborted, policy())])
    func `is made once where its config does not say otherwise`(code: StatusCode, config: ServiceConfig?) async throws {
        let record = Record()

        let result = try await say(failing(9, record, code: code), config)

        #expect(result.failure?.code == code)
        #expect(record.all == ["none"])
    }

    @Test(arguments: [("-1", 1), ("soon", 1), ("1", 3)])
    func `heeds what the server says about trying again`(pushback: String, attempts: Int) async throws {
        let record = Record()

        let result = try await say(failing(9, record, pushback: pushback), policy(backoff: .milliseconds(1)))

        #expect(result.failure?.trailers["grpc-retry-pushback-ms"] == pushback)
        #expect(record.all.count == attempts)
    }

    @Test func `is made once while too many calls fail`() async throws {
        let record = Record()

        let result = try await say(failing(9, record), policy(throttling: .init(maxTokens: 2, tokenRatio: 0.1)))

        #expect(result.failure?.code == .unavailable)
        #expect(record.all == ["none"])
    }

    @Test func `ends at once when its next attempt would come after its deadline`() async throws {
        let record = Record()

        let result = try await say(failing(9, record, pushback: "600000"), policy(), timeout: .seconds(60))

        #expect(result.failure?.message == "Not now.")
        #expect(record.all == ["none"])
    }

    @Test func `ends when it is cancelled between attempts`() async throws {
        let record = Record()
        let asked = Signal()
        let handler = MethodHandler.unary(Notes.say) { _, context in
            record.add("asked")
            context.trailingMetadata.set("grpc-retry-pushback-ms", "200000")
            asked.fire()
            throw RPCError(.unavailable, "Not now.")
        }

        let error = try await withLoopback([handler], channel: { $0.serviceConfig = policy() }) { loopback in
            let call = Task { try await loopback.channel.unary(Notes.say, "a") }
            await asked.wait()
            call.cancel()
            return await #expect(throws: RPCError.self) { try await call.value }
        }

        #expect(error?.code == .cancelled)
        #expect(record.all == ["asked"])
    }

    @Test func `is answered with a stream that begins late, and not again once it has begun`() async throws {
        let record = Record()
        let handler = MethodHandler.serverStreaming(Notes.list) { note, responses, context in
            if record.add(note.text) < 3 { throw RPCError(.unavailable, "Not now.") }
            context.responseMetadata.set("x-before", "yes")
            for text in ["a", "b"] { try await responses.write(Note(text)) }
            throw RPCError(.unavailable, "Gone.")
        }

        let (texts, before, error) = try await withLoopback([handler], channel: { $0.serviceConfig = policy() }) { loopback in
            try await loopback.channel.serverStreaming(Notes.list, "n") { responses in
                var texts: [String] = []
                do {
                    for try await response in responses { texts.append(response.text) }
                    return (texts, responses.metadata["x-before"], RPCError?.none)
                } catch let error as RPCError {
                    return (texts, responses.metadata["x-before"], error)
                }
            }
        }

        #expect(texts == ["a", "b"])
        #expect(before == "yes")
        #expect(error?.message == "Gone.")
        #expect(record.all == ["n", "n", "n"])
    }

    private func collecting(_ record: Record) -> MethodHandler {
        .clientStreaming(Notes.collect) { requests, _ in
            var all = ""
            for try await note in requests { all += note.text }
            if record.add("\(all.utf8.count)") < 3 { throw RPCError(.unavailable, "Not now.") }
            return Note(all)
        }
    }

    @Test func `has all of its messages sent again`() async throws {
        let record = Record()

        let answer = try await withLoopback([collecting(record)], channel: { $0.serviceConfig = policy() }) { loopback in
            try await loopback.channel.clientStreaming(Notes.collect) { requests in
                for number in 0..<100 { try await requests.write(Note("\(number),")) }
            }
        }

        #expect(answer.message.text == (0..<100).map { "\($0)," }.joined())
        #expect(Set(record.all) == ["290"])
        #expect(record.all.count == 3)
    }

    @Test func `is made once when its messages are too many to be kept`() async throws {
        let record = Record()
        let text = String(repeating: "x", count: 10_000)

        let error = try await withLoopback([collecting(record)]) {
            $0.maxReceiveMessageBytes = 1 << 20
        } channel: {
            $0.serviceConfig = policy()
            $0.maxRetryBufferBytes = 50_000
        } _: { loopback in
            await #expect(throws: RPCError.self) {
                try await loopback.channel.clientStreaming(Notes.collect) { requests in
                    for _ in 0..<100 { try await requests.write(Note(text)) }
                }
            }
        }

        #expect(error?.code == .unavailable)
        #expect(record.all == ["1000000"])
    }

    @Test func `is sent once when its channel has no room to keep the request`() async throws {
        let record = Record()

        let error = await #expect(throws: RPCError.self) {
            try await withLoopback([failing(1, record)], channel: {
                $0.serviceConfig = policy()
                $0.maxChannelRetryBufferBytes = 10
            }) { loopback in
                try await loopback.channel.unary(Notes.say, Note(String(repeating: "a", count: 100)))
            }
        }

        #expect(error?.code == .unavailable)
        #expect(record.all == ["none"])
    }

    @Test func `leaves the channel's room to the next when it has ended`() async throws {
        let record = Record()
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            if record.add("asked") % 2 == 1 { throw RPCError(.unavailable, "Not now.") }
            return note
        }

        try await withLoopback([handler], channel: {
            $0.serviceConfig = policy()
            $0.maxChannelRetryBufferBytes = 150
        }) { loopback in
            for _ in 0..<20 { _ = try await loopback.channel.unary(Notes.say, Note(String(repeating: "a", count: 100))) }
        }

        #expect(record.all.count == 40)
    }

    @Test func `may send and be answered at the same time`() async throws {
        let record = Record()
        let handler = MethodHandler.bidirectional(Notes.chat) { requests, responses, _ in
            if record.add("asked") < 3 { throw RPCError(.unavailable, "Not now.") }
            for try await note in requests { try await responses.write(Note("re: \(note.text)")) }
        }

        let texts = try await withLoopback([handler], channel: { $0.serviceConfig = policy() }) { loopback in
            try await loopback.channel.bidirectional(Notes.chat) { requests, responses in
                var texts: [String] = []
                var answers = responses.makeAsyncIterator()
                for number in 0..<50 {
                    try await requests.write(Note("\(number)"))
                    if let answer = try await answers.next() { texts.append(answer.text) }
                }
                requests.finish()
                #expect(try await answers.next() == nil)
                return texts
            }
        }

        #expect(texts == (0..<50).map { "re: \($0)" })
        #expect(record.all.count == 3)
    }

    @Test func `tells who writes how it failed`() async throws {
        let handler = MethodHandler.bidirectional(Notes.chat) { _, _, _ in throw RPCError(.unavailable, "Not now.") }

        let error = try await withLoopback([handler], channel: { $0.serviceConfig = policy() }) { loopback in
            await #expect(throws: RPCError.self) {
                try await loopback.channel.bidirectional(Notes.chat) { requests, _ in
                    while true { try await requests.write("a") }
                }
            }
        }

        #expect(error?.code == .unavailable)
        #expect(error?.message == "Not now.")
    }

    @Test(.timeLimit(.minutes(1))) func `lets a reader go that is cancelled before there is an answer`() async throws {
        let handler = MethodHandler.bidirectional(Notes.chat) { requests, _, _ in for try await _ in requests {} }

        let code: StatusCode? = try await withLoopback([handler], channel: { $0.serviceConfig = policy() }) { loopback in
            try await loopback.channel.bidirectional(Notes.chat) { requests, responses in
                let reader = Task { for try await _ in responses {} }
                reader.cancel()
                let result = await reader.result
                requests.finish()
                return (result.failure as? RPCError)?.code
            }
        }

        #expect(code == .cancelled)
    }

    @Test func `is held to the limits of its config`() async throws {
        var config = policy()
        config.methods[0].maxRequestMessageBytes = 10
        config.methods[0].maxResponseMessageBytes = 4
        let limited = config

        let (sent, received) = try await withLoopback([NotesService.echo], channel: { $0.serviceConfig = limited }) { loopback in
            let sent = await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "longer than ten") }
            let received = await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "five5") }
            return (sent, received)
        }

        #expect(sent?.code == .resourceExhausted)
        #expect(received?.code == .resourceExhausted)
    }

    @Test func `ends after the time that its config allows`() async throws {
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            await waitForCancellation()
            return note
        }
        var config = ServiceConfig(methods: [MethodConfig(names: [.init()])])
        config.methods[0].timeout = .milliseconds(20)

        let result = try await say(handler, config)

        #expect(result.failure?.code == .deadlineExceeded)
    }
}

extension Result {
    var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
}

@Suite struct `A call that is hedged` {
    private static let find = Method<Note, Note>(
        MethodDescriptor(
            service: "test.Notes", name: "Find", kind: .unary,
            policy: .init(access: .anyone, timeout: .batch, idempotency: .noSideEffects)))

    private func config(_ maxAttempts: Int = 2, delay: Duration) -> ServiceConfig {
        let hedging = HedgingPolicy(maxAttempts: maxAttempts, hedgingDelay: delay, nonFatalStatusCodes: [.unavailable])
        return ServiceConfig(methods: [MethodConfig(names: [.init()], repetition: .hedging(hedging))])
    }

    @Test func `is answered by the server that is not slow, and the slow one is told to stop`() async throws {
        let stopped = Signal()
        let record = Record()
        let handler = MethodHandler.unary(Self.find) { note, _ in
            if record.add("asked") > 1 { return note }
            await waitForCancellation()
            stopped.fire()
            return "late"
        }

        let answer = try await withLoopback([handler], channel: { $0.serviceConfig = config(delay: .milliseconds(5)) }) { loopback in
            let answer = try await loopback.channel.unary(Self.find, "a")
            await stopped.wait()
            return answer
        }

        #expect(answer == "a")
        #expect(record.all.count == 2)
    }

    @Test func `fails when every attempt has failed`() async throws {
        let record = Record()
        let handler = MethodHandler.unary(Self.find) { _, _ in
            record.add("asked")
            throw RPCError(.unavailable, "Not now.")
        }

        let error = try await withLoopback([handler], channel: { $0.serviceConfig = config(4, delay: .seconds(600)) }) { loopback in
            await #expect(throws: RPCError.self) { try await loopback.channel.unary(Self.find, "a") }
        }

        #expect(error?.code == .unavailable)
        #expect(record.all.count == 4)
    }

    @Test func `at once sends every attempt and keeps one answer`() async throws {
        let record = Record()
        let handler = MethodHandler.unary(Self.find) { note, _ in
            record.add("asked")
            return note
        }

        let answer = try await withLoopback([handler], channel: { $0.serviceConfig = config(3, delay: .zero) }) { loopback in
            try await loopback.channel.unary(Self.find, "a")
        }

        #expect(answer == "a")
    }

    @Test func `is sent once when its contract does not call it idempotent`() async throws {
        let record = Record()
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            record.add("asked")
            try await Task.sleep(for: .milliseconds(20))
            return note
        }

        let answer = try await withLoopback([handler], channel: { $0.serviceConfig = config(5, delay: .zero) }) { loopback in
            try await loopback.channel.unary(Notes.say, "a")
        }

        #expect(answer == "a")
        #expect(record.all == ["asked"])
    }
}
