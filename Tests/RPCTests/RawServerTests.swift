import HTTP2
import Logging
import Testing
import Time

@testable import RPC

/// What a server does about bytes that no proper gRPC client sends.
@Suite struct `A server asked in its own bytes` {
    private static let frame: [UInt8] = [0, 0, 0, 0, 2, 104, 105]

    private func ask(
        _ headers: [HTTP2Header],
        _ body: [UInt8]? = frame,
        endsBody: Bool = true,
        handler: MethodHandler = NotesService.echo
    ) async throws -> Heard {
        try await withLoopback([handler]) { loopback in
            try await RawPeer.ask(port: loopback.port, headers, body: body, endsBody: endsBody)
        }
    }

    @Test func `answers a proper call`() async throws {
        let heard = try await ask(.call("Say"))

        #expect(heard.header(":status") == "200")
        #expect(heard.header("content-type") == "application/grpc")
        #expect(heard.header("grpc-status") == "0")
    }

    @Test func `refuses another content type with HTTP status 415`() async throws {
        let heard = try await ask(.call("Say", ["content-type": "application/json"]))

        #expect(heard.header(":status") == "415")
    }

    @Test func `answers an unknown method with nothing but trailers`() async throws {
        let heard = try await ask(.call("Missing"))

        #expect(heard.header("grpc-status") == "12")
        #expect(heard.events.count { if case .headers = $0 { true } else { false } } == 1)
    }

    @Test(arguments: [
        ([1, 0, 0, 0, 0] as [UInt8], "13"), ([3, 0, 0, 0, 0], "13"), ([0, 0, 0], "13"), ([0, 0, 0, 0, 9, 1], "13"), ([], "12"),
        ([0, 255, 255, 255, 255], "8"),
    ])
    func `refuses a body that is not one message`(body: [UInt8], status: String) async throws {
        let heard = try await ask(.call("Say"), body)

        #expect(heard.header("grpc-status") == status)
    }

    @Test func `refuses an encoding that it does not know and names those that it does`() async throws {
        let heard = try await ask(.call("Say", ["grpc-encoding": "br"]), [1, 0, 0, 0, 1, 0])

        #expect(heard.header("grpc-status") == "12")
        #expect(heard.header("grpc-accept-encoding") == "identity,gzip")
    }

    @Test func `tells a caller that goes on sending to stop when the answer is complete`() async throws {
        let heard = try await ask(.call("Missing"), endsBody: false)

        #expect(heard.header("grpc-status") == "12")
        #expect(heard.events.contains(.streamClosed(1, .noError)))
    }

    @Test func `ends a call whose deadline passes, and cancels its handler`() async throws {
        let cancelled = Signal()
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            await waitForCancellation()
            cancelled.fire()
            return note
        }

        let heard = try await withLoopback([handler]) { loopback in
            let heard = try await RawPeer.ask(port: loopback.port, .call("Say", ["grpc-timeout": "10m"]), body: Self.frame)
            await cancelled.wait()
            return heard
        }

        #expect(heard.header("grpc-status") == "4")
    }

    @Test func `is told what the handler of a late call waits for`() async throws {
        let inner = MethodHandler.unary(Notes.say) { note, _ in
            await waitForCancellation()
            return note
        }

        let heard = try await withLoopback([inner]) { behind in
            let outer = MethodHandler.unary(Notes.say) { note, _ in
                // It has time, and the call that it answers has not.
                try await Deadline.with(.after(.seconds(60))) { try await behind.channel.unary(Notes.say, note) }
            }
            return try await withLoopback([outer]) {
                $0.explainLate = { error, stages in RPCError(error.code, stages.map(\.rawValue).joined(separator: ",")) }
            } _: { loopback in
                try await RawPeer.ask(port: loopback.port, .call("Say", ["grpc-timeout": "100m"]), body: Self.frame)
            }
        }

        #expect(heard.header("grpc-status") == "4")
        #expect(heard.header("grpc-message") == "call")
    }

    @Test(.timeLimit(.minutes(1))) func `lets go of an answer that its caller does not take`() async throws {
        // More than the caller's window, which it never opens further.
        let handler = MethodHandler.unary(Notes.say) { _, _ in Note(String(repeating: "x", count: 1 << 20)) }

        let heard = try await withLoopback([handler], server: { $0.answerGrace = .milliseconds(1) }) { loopback in
            try await RawPeer.ask(port: loopback.port, .call("Say", ["grpc-timeout": "2S"]), body: Self.frame)
        }

        #expect(heard.header("grpc-status") == nil)
        #expect(heard.events.contains(.streamClosed(1, .cancel)))
    }

    @Test(.timeLimit(.minutes(1))) func `closes the connection of a caller that takes nothing, not even the reset of its call`() async throws {
        // More than sockets hold.
        let answer = Note(String(repeating: "x", count: 32 << 20))
        let handler = MethodHandler.unary(Notes.say) { _, _ in answer }

        try await withLoopback([handler], server: { $0.answerGrace = .milliseconds(20) }) { loopback in
            try await RawPeer.askAndReadNothing(port: loopback.port, .call("Say", ["grpc-timeout": "2S"]), body: Self.frame) {
                while loopback.server.channelzState.connections.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
                while !loopback.server.channelzState.connections.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `ends a call whose message does not come whole, however long it may take otherwise`() async throws {
        let heard = try await withLoopback([NotesService.echo], server: { $0.requestTimeout = .milliseconds(10) }) { loopback in
            try await RawPeer.ask(port: loopback.port, .call("Say"), body: [0, 0], endsBody: false)
        }

        #expect(heard.header("grpc-status") == "4")
    }

    @Test func `ends a call that never sends its message when the deadline passes`() async throws {
        let heard = try await ask(.call("Say", ["grpc-timeout": "10m"]), [0, 0], endsBody: false)

        #expect(heard.header("grpc-status") == "4")
    }
}

/// What a client makes of servers that are not as they should be.
@Suite struct `A client answered in raw bytes` {
    private func call(
        _ react: @escaping @Sendable (inout HTTP2Session, HTTP2Event, HTTP2Batch) -> Void,
        timeout: Duration = .seconds(60),
        transparentRetries: Int = 1,
        begin: @escaping @Sendable (inout HTTP2Session) -> Void = { _ in }
    ) async throws -> Result<Note, RPCError> {
        try await RawPeer.serve(begin: begin, react) { port in
            var configuration = RPCChannelConfiguration()
            configuration.maxTransparentRetries = transparentRetries
            let channel = RPCChannel(
                target: ("127.0.0.1", port), configuration: configuration,
                logger: .init(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let result: Result<Note, RPCError>
            do throws(RPCError) {
                result = .success(try await channel.unary(Notes.say, "hi", options: .init(timeout: timeout)))
            } catch { result = .failure(error) }
            await channel.close()
            return result
        }
    }

    private func code(_ result: Result<Note, RPCError>) -> StatusCode? {
        if case .failure(let error) = result { error.code } else { nil }
    }

    @Test(arguments: [("404", StatusCode.unimplemented), ("503", .unavailable), ("401", .unauthenticated), ("500", .unknown)])
    func `judges a server that is not gRPC's by its HTTP status`(status: String, code: StatusCode) async throws {
        let result = try await call { session, event, _ in
            guard case .headers(let stream, _, _, _) = event else { return }
            try? session.sendResponse([HTTP2Header(":status", status)], on: stream, endStream: true)
        }

        #expect(self.code(result) == code)
    }

    @Test(arguments: [(HTTP2ErrorCode.cancel, StatusCode.cancelled), (.internalError, .internalError), (.enhanceYourCalm, .resourceExhausted)])
    func `judges a reset stream by its code`(reset: HTTP2ErrorCode, code: StatusCode) async throws {
        let result = try await call { session, event, _ in
            guard case .headers(let stream, _, _, _) = event else { return }
            session.reset(stream, reset)
        }

        #expect(self.code(result) == code)
    }

    private static func answer(_ session: inout HTTP2Session, _ stream: HTTP2StreamID, _ body: [UInt8], trailers: [HTTP2Header]) {
        let head = [HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc")]
        try? session.sendResponse(head, on: stream, endStream: false)
        session.send(body, on: stream)
        session.finish(stream, trailers: trailers)
    }

    @Test func `sends a call again that the server refused to begin`() async throws {
        let attempts = Counter()

        let result = try await call { session, event, _ in
            guard case .headers(let stream, _, _, _) = event else { return }
            if attempts.increment() == 1 {
                session.reset(stream, .refusedStream)
            } else {
                Self.answer(&session, stream, [0, 0, 0, 0, 1, 65], trailers: [HTTP2Header("grpc-status", "0")])
            }
        }

        #expect(try result.get() == "A")
        #expect(attempts.value == 2)
    }

    @Test(arguments: [0, 1, 3]) func `gives up on a server that goes on refusing`(retries: Int) async throws {
        let attempts = Counter()

        let result = try await call(
            { session, event, _ in
                guard case .headers(let stream, _, _, _) = event else { return }
                attempts.increment()
                session.reset(stream, .refusedStream)
            }, transparentRetries: retries)

        #expect(code(result) == .unavailable)
        #expect(attempts.value == 1 + retries)
    }

    @Test func `sends a call again on a new connection when GOAWAY says it was not begun`() async throws {
        let connections = Counter()

        let result = try await call { session, event, _ in
            guard case .headers(let stream, _, _, _) = event else { return }
            Self.answer(&session, stream, [0, 0, 0, 0, 1, 66], trailers: [HTTP2Header("grpc-status", "0")])
        } begin: { session in
            // Nothing has arrived yet, so the last stream that it names is 0.
            if connections.increment() == 1 { try? session.sendGoAway(.noError) }
        }

        #expect(try result.get() == "B")
        #expect(connections.value == 2)
    }

    @Test(.timeLimit(.minutes(1)))
    func `sends a call that waits for another's place elsewhere once GOAWAY says that none may begin`() async throws {
        var settings = HTTP2Settings()
        settings.maxConcurrentStreams = 1
        let connections = Counter()
        let react: @Sendable (inout HTTP2Session, HTTP2Event, HTTP2Batch) -> Void = { session, event, _ in
            switch event {
            case .data where connections.value == 1:
                // It names no last call yet, as a server that drains does not at first.
                try? session.sendShutdownNotice()
            case .headers(let stream, _, _, _) where connections.value == 2:
                Self.answer(&session, stream, [0, 0, 0, 0, 1, 66], trailers: [HTTP2Header("grpc-status", "0")])
            default: break
            }
        }

        let answer = try await RawPeer.serve(settings: settings, begin: { _ in connections.increment() }, react) { port in
            let channel = RPCChannel(
                target: ("127.0.0.1", port), logger: .init(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let answer = try await channel.bidirectional(Notes.chat) { requests, _ in
                let waiting = Task { try await channel.unary(Notes.say, "hi") }
                // One has the only place on the connection, and the other waits for it.
                while await ChannelzRegistry.process.channel(id: channel.channelzID)?.calls.started != 2 { await Task.yield() }
                try await requests.write("go")
                return try await waiting.value
            }
            await channel.close()
            return answer
        }

        #expect(answer == "B")
    }

    @Test(arguments: [
        ([] as [UInt8], "12"), ([0, 0, 0, 0, 1, 65, 0, 0, 0, 0, 1, 66], "12"), ([0, 0, 0, 0, 9, 65], "13"), ([1, 0, 0, 0, 1, 65], "13"),
    ])
    func `refuses an answer that is not one message`(body: [UInt8], status: String) async throws {
        let result = try await call { session, event, _ in
            guard case .headers(let stream, _, _, _) = event else { return }
            Self.answer(&session, stream, body, trailers: [HTTP2Header("grpc-status", "0")])
        }

        #expect(code(result).map { String($0.rawValue) } == status)
    }

    @Test(.timeLimit(.minutes(1))) func `ends a request that goes on when its server has answered and leaves it open`() async throws {
        let ended = Signal()
        let react: @Sendable (inout HTTP2Session, HTTP2Event, HTTP2Batch) -> Void = { session, event, _ in
            switch event {
            case .headers(let stream, _, _, _):
                Self.answer(&session, stream, [0, 0, 0, 0, 1, 65], trailers: [HTTP2Header("grpc-status", "0")])
            case .endStream: ended.fire()
            default: break
            }
        }

        let texts = try await RawPeer.serve(react) { port in
            let channel = RPCChannel(
                target: ("127.0.0.1", port), logger: .init(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let texts = try await channel.bidirectional(Notes.chat) { _, responses in
                try await responses.reduce(into: [String]()) { $0.append($1.text) }
            }
            await ended.wait()
            await channel.close()
            return texts
        }

        #expect(texts == ["A"])
    }

    @Test func `calls an answer without a status UNKNOWN`() async throws {
        let result = try await call { session, event, _ in
            guard case .headers(let stream, _, _, _) = event else { return }
            Self.answer(&session, stream, [0, 0, 0, 0, 1, 65], trailers: [])
        }

        #expect(code(result) == .unknown)
    }

    @Test func `ends a call at its deadline when the server says nothing`() async throws {
        let result = try await call({ _, _, _ in }, timeout: .milliseconds(30))

        #expect(code(result) == .deadlineExceeded)
    }
}
