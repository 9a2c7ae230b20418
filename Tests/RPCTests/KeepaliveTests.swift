import HTTP2
import Logging
import RPC
import Testing

@Suite struct `A peer that has vanished` {
    @Test func `ends the calls of its client long before their deadlines`() async throws {
        var configuration = RPCChannelConfiguration()
        configuration.keepaliveInterval = .milliseconds(10)
        configuration.keepaliveTimeout = .milliseconds(10)

        let error = try await SilentPeer.serve { [configuration] port in
            let channel = RPCChannel(
                target: ("127.0.0.1", port),
                configuration: configuration,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            let error = await #expect(throws: RPCError.self) { try await channel.unary(Notes.say, "a") }
            await channel.close()
            return error
        }

        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("sign of life") == true)
    }

    @Test(.timeLimit(.minutes(1))) func `is not taken for alive because calls to it end at their deadlines`() async throws {
        var configuration = RPCChannelConfiguration()
        configuration.keepaliveInterval = .milliseconds(100)
        configuration.keepaliveTimeout = .milliseconds(100)

        let error = try await SilentPeer.serve { [configuration] port in
            let channel = RPCChannel(
                target: ("127.0.0.1", port),
                configuration: configuration,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            let error = await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    // The client resets the stream of each, which is no sign of life of its server's.
                    while !Task.isCancelled { _ = try? await channel.unary(Notes.say, "late", options: .init(timeout: .milliseconds(5))) }
                }
                defer { group.cancelAll() }
                return await #expect(throws: RPCError.self) { try await channel.unary(Notes.say, "a") }
            }
            await channel.close()
            return error
        }

        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("sign of life") == true)
    }

    @Test func `is dropped by its server`() async throws {
        try await withLoopback([NotesService.echo]) {
            $0.keepaliveInterval = .milliseconds(10)
            $0.keepaliveTimeout = .milliseconds(10)
        } _: { loopback in
            try await SilentPeer.connect(port: loopback.port, saying: SilentPeer.clientPreface)
        }
    }

    @Test func `before it said a word is dropped by its server`() async throws {
        try await withLoopback([NotesService.echo]) {
            $0.handshakeTimeout = .milliseconds(10)
        } _: { loopback in
            try await SilentPeer.connect(port: loopback.port, saying: [])
        }
    }

    @Test func `is not mistaken for one that only has nothing to say`() async throws {
        let started = Signal()
        let mayEnd = Signal()
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            started.fire()
            await mayEnd.wait()
            return note
        }

        let answer = try await withLoopback([handler]) {
            $0.keepaliveInterval = .milliseconds(5)
        } channel: {
            $0.keepaliveInterval = .milliseconds(5)
        } _: { loopback in
            async let answer = loopback.channel.unary(Notes.say, "a")
            await started.wait()
            // Several intervals pass in which only pings travel.
            try await Task.sleep(for: .milliseconds(30))
            mayEnd.fire()
            return try await answer
        }

        #expect(answer == "a")
    }
}

@Suite struct `A client that asks for signs of life too often` {
    /// Keeps the intervals that a channel logs.
    private struct Recorder: LogHandler {
        let record: Record
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            if event.level == .notice, let interval = event.metadata?["interval"] { record.add("\(interval)") }
        }
    }

    @Test func `asks half as often from the next connection on, each time that it is told`() async throws {
        let connections = Counter()
        let record = Record()

        let answer = try await RawPeer.serve(begin: { session in
            if connections.increment() < 3 { try? session.sendGoAway(.enhanceYourCalm, reason: "too_many_pings") }
        }) { session, event, _ in
            guard case .headers(let stream, _, _, _) = event else { return }
            let head = [HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc")]
            try? session.sendResponse(head, on: stream, endStream: false)
            session.send([0, 0, 0, 0, 1, 65], on: stream)
            session.finish(stream, trailers: [HTTP2Header("grpc-status", "0")])
        } _: { port in
            var configuration = RPCChannelConfiguration()
            configuration.keepaliveInterval = .seconds(10)
            let channel = RPCChannel(
                target: ("127.0.0.1", port), configuration: configuration,
                logger: Logger(label: "test") { _ in Recorder(record: record) })
            let answer = try await channel.unary(Notes.say, "a")
            await channel.close()
            return answer
        }

        #expect(answer == "A")
        #expect(record.all == ["20.0 seconds", "40.0 seconds"])
    }

    @Test func `is nobody who was told by its server, whatever its own setting is`() async throws {
        let started = Signal()
        let mayEnd = Signal()
        let lines = LogLines()
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            started.fire()
            await mayEnd.wait()
            return note
        }

        let answer = try await withLoopback(
            [handler], server: { $0.minPingInterval = .seconds(3_600) },
            channel: {
                $0.keepaliveInterval = .milliseconds(1)
                $0.keepaliveTimeout = .milliseconds(20)
            },
            logger: lines.logger
        ) { loopback in
            async let answer = loopback.channel.unary(Notes.say, "a")
            await started.wait()
            // Time for a dozen pings, of which the fourth would end the connection.
            try await Task.sleep(for: .milliseconds(300))
            mayEnd.fire()
            return try await answer
        }

        #expect(answer == "a")
        #expect(!lines.all.contains { $0.contains("client sent away") || $0.contains("keepalive slowed down") })
    }
}
