import RPC
import Synchronization
import Testing

/// Writes down when it was entered and left.
private final class Recorder: ServerInterceptor, ClientInterceptor {
    let name: String
    let journal: Journal

    init(_ name: String, _ journal: Journal) {
        self.name = name
        self.journal = journal
    }

    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        var context = context
        context[NameKey.self] = (context[NameKey.self] ?? "") + name
        journal.add("> \(name)")
        defer { journal.add("< \(name)") }
        try await next(context)
    }

    func intercept(_ context: ClientCallContext, next: @Sendable (ClientCallContext) async throws -> Void) async throws {
        var context = context
        context.metadata.add("x-through", value: name)
        journal.add("> \(name)")
        defer { journal.add("< \(name)") }
        try await next(context)
    }
}

private enum NameKey: RPCContextKey {
    typealias Value = String
}

private final class Journal: Sendable {
    private let entries = Mutex<[String]>([])

    func add(_ entry: String) {
        entries.withLock { $0.append(entry) }
    }

    var all: [String] { entries.withLock { $0 } }
}

private struct Refusing: ServerInterceptor {
    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        throw RPCError(.unauthenticated, "Nobody may.")
    }
}

private struct Repeating: ClientInterceptor {
    func intercept(_ context: ClientCallContext, next: @Sendable (ClientCallContext) async throws -> Void) async throws {
        do { try await next(context) } catch let error as RPCError where error.code == .unavailable { try await next(context) }
    }
}

/// Answers what it has answered before in the handler's place, and lets everything else through.
private final class Remembering: UnaryInterceptor {
    private let answers = Mutex<[[UInt8]: [UInt8]]>([:])

    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        context.responseMetadata.set("x-seen", "as a stream")
        try await next(context)
    }

    func intercept(
        _ context: RPCContext, _ exchange: UnaryExchange, next: @Sendable (RPCContext) async throws -> Void
    ) async throws {
        let request = try await exchange.request()
        if let answer = answers.withLock({ $0[request] }) { return try exchange.answer(with: answer) }
        context.compressResponse()
        #expect(exchange.answer == nil)
        try await next(context)
        let answer = exchange.answer
        answers.withLock { $0[request] = answer }
    }
}

@Suite struct `Interceptors` {
    @Test(arguments: [MessageEncoding.identity, .gzip])
    func `of unary calls see both messages as they are, and may answer in the handler's place`(encoding: MessageEncoding) async throws {
        let calls = Counter()
        let say = MethodHandler.unary(Notes.say) { note, _ in Note("\(note.text) \(calls.increment())") }
        let list = MethodHandler.serverStreaming(Notes.list) { note, responses, _ in try await responses.write(note) }

        let (answers, seen) = try await withLoopback([say, list], serverInterceptors: [Remembering()]) { loopback in
            var answers: [String] = []
            for text in ["one", "one", "two", "one"] {
                let request = Note(String(repeating: text, count: 400))
                let options = CallOptions(encoding: encoding)
                answers.append(try await loopback.channel.unary(Notes.say, request, options: options).text.split(separator: " ").last.map(String.init) ?? "")
            }
            let seen = try await loopback.channel.serverStreaming(Notes.list, "note") { responses in
                for try await _ in responses {}
                return true
            }
            return (answers, seen)
        }

        #expect(answers == ["1", "1", "2", "1"])
        #expect(calls.value == 2)
        #expect(seen)
    }

    @Test func `surround a call in their order on both sides, and hand values to the handler`() async throws {
        let journal = Journal()
        let handler = MethodHandler.unary(Notes.say) { _, context in
            journal.add("handler")
            return Note((context[NameKey.self] ?? "") + context.metadata.values(for: "x-through").joined())
        }

        let answer = try await withLoopback(
            [handler],
            serverInterceptors: [Recorder("c", journal), Recorder("d", journal)],
            clientInterceptors: [Recorder("a", journal), Recorder("b", journal)]
        ) { try await $0.channel.unary(Notes.say, "") }

        #expect(answer == "cdab")
        #expect(journal.all == ["> a", "> b", "> c", "> d", "handler", "< d", "< c", "< b", "< a"])
    }

    @Test func `may refuse a call before its handler runs`() async throws {
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            Issue.record("The handler ran.")
            return note
        }

        let error = try await withLoopback([handler], serverInterceptors: [Refusing()]) { loopback in
            await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "") }
        }

        #expect(error?.code == .unauthenticated)
    }

    @Test func `of a client may try again`() async throws {
        let attempts = Counter()
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            let attempt = attempts.increment()
            if attempt == 1 { throw RPCError(.unavailable, "Not yet.") }
            return Note("attempt \(attempt)")
        }

        let answer = try await withLoopback([handler], clientInterceptors: [Repeating()]) {
            try await $0.channel.unary(Notes.say, "")
        }

        #expect(answer == "attempt 2")
    }
}
