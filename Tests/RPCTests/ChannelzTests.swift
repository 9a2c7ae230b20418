import Logging
import Testing
import Time

@testable import RPC

/// What a server tells of itself, under its number.
@Suite struct `What channelz is told of a server` {
    /// Runs a server, and gives what the registry knows of it beside it.
    private func withServer<Result: Sendable>(
        _ handlers: [MethodHandler] = [NotesService.echo],
        _ body: @Sendable (Loopback, _ server: @Sendable () async throws -> ServerSnapshot) async throws -> Result
    ) async throws -> Result {
        try await withLoopback(handlers) { loopback in
            try await body(loopback) {
                // Other suites have servers too; this one is known by its port.
                let all = await ChannelzRegistry.process.servers(from: 0, atMost: .max)
                for server in all.elements {
                    for listener in server.listeners {
                        let socket = await ChannelzRegistry.process.socket(id: listener.id)
                        if socket?.local == .ip([127, 0, 0, 1], port: loopback.port) { return server }
                    }
                }
                throw RPCError(.notFound, "The server is not known.")
            }
        }
    }

    private static func socket(of server: ServerSnapshot) async -> SocketSnapshot? {
        let page = ChannelzRegistry.process.sockets(ofServer: server.reference.id, from: 0, atMost: 10)
        guard let only = page?.elements.first, page?.elements.count == 1 else { return nil }
        return await ChannelzRegistry.process.socket(id: only.id)
    }

    @Test func `counts its calls by how they ended`() async throws {
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            if note.text == "no" { throw RPCError(.notFound, "There is no such note.") }
            return note
        }

        let (before, after) = try await withServer([handler]) { loopback, server in
            let before = try await server()
            for text in ["a", "b", "no", "c"] {
                do throws(RPCError) {
                    _ = try await loopback.channel.unary(Notes.say, Note(text))
                } catch { #expect(error.code == .notFound) }
            }
            return (before, try await server())
        }

        #expect(before.calls == CallCounts())
        #expect(before.calls.lastStarted == nil)
        #expect((after.calls.started, after.calls.succeeded, after.calls.failed) == (4, 3, 1))
        let began = try #require(after.calls.lastStarted)
        #expect(began >= after.trace.created)
    }

    @Test func `counts what goes over each connection, and names both ends`() async throws {
        let list = MethodHandler.serverStreaming(Notes.list) { note, responses, _ in
            for _ in 0..<5 { try await responses.write(note) }
        }

        let (socket, server) = try await withServer([list, NotesService.echo]) { loopback, server in
            _ = try await loopback.channel.unary(Notes.say, "hi")
            try await loopback.channel.serverStreaming(Notes.list, "hi") { responses in
                for try await _ in responses {}
            }
            let server = try await server()
            return (await Self.socket(of: server), server)
        }

        let seen = try #require(socket)
        #expect((seen.streams.started, seen.streams.failed) == (2, 0))
        #expect((seen.messagesReceived.count, seen.messagesSent.count) == (2, 6))
        #expect(seen.security == nil && seen.remoteName == nil)
        let sent = try #require(seen.messagesSent.last)
        #expect(sent >= server.trace.created)
        guard case .ip([127, 0, 0, 1], _)? = seen.remote, case .ip(_, let port)? = seen.local else {
            Issue.record("\(seen)")
            return
        }
        #expect(seen.reference.name.hasPrefix("ipv4:127.0.0.1:"))
        #expect(server.listeners.map(\.name) == ["listening on 127.0.0.1:0"])
        #expect(port > 0)
        #expect(seen.receiveWindow ?? 0 > 0 && seen.sendWindow ?? 0 > 0)
    }

    @Test func `goes on counting calls whose connection is gone`() async throws {
        let after = try await withServer { loopback, server in
            _ = try await loopback.channel.unary(Notes.say, "hi")
            await loopback.channel.close()
            // The server hears of it soon.
            while await Self.socket(of: try await server()) != nil { await Task.yield() }
            return try await server()
        }

        #expect((after.calls.started, after.calls.succeeded) == (1, 1))
    }

    @Test(.timeLimit(.minutes(5))) func `is forgotten with the server`() async throws {
        let id = try await withServer { _, server in try await server().reference.id }
        // Its event loop lets go of it soon.
        while await ChannelzRegistry.process.server(id: id) != nil { await Task.yield() }

        #expect(ChannelzRegistry.process.sockets(ofServer: id, from: 0, atMost: 1) == nil)
    }

    @Test func `comes in pages`() async throws {
        try await withServer { loopback, server in
            let id = try await server().reference.id
            let one = await ChannelzRegistry.process.servers(from: id, atMost: 1)
            let none = await ChannelzRegistry.process.servers(from: .max, atMost: 1)

            #expect(one.elements.map(\.reference.id) == [id])
            #expect(none.elements.isEmpty && none.isLast)
        }
    }
}

/// What a channel tells of itself, under its number.
@Suite struct `What channelz is told of a channel` {
    @Test func `is its calls, its subchannels and their connections`() async throws {
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            if note.text == "no" { throw RPCError(.notFound, "There is no such note.") }
            return note
        }

        try await withLoopback([handler]) { loopback in
            let id = loopback.channel.channelzID
            let before = try #require(await ChannelzRegistry.process.channel(id: id))
            for text in ["a", "no", "b"] {
                do throws(RPCError) {
                    _ = try await loopback.channel.unary(Notes.say, Note(text))
                } catch { #expect(error.code == .notFound) }
            }
            let after = try #require(await ChannelzRegistry.process.channel(id: id))

            #expect((before.state, before.calls) == (.idle, CallCounts()))
            #expect(after.state == .ready)
            #expect(after.target == "127.0.0.1:\(loopback.port)")
            #expect((after.calls.started, after.calls.succeeded, after.calls.failed) == (3, 2, 1))

            let below = try #require(after.subchannels.first)
            let subchannel = try #require(await ChannelzRegistry.process.subchannel(id: below.id))
            #expect(subchannel.calls == after.calls)
            let reference = try #require(subchannel.sockets.first)
            let socket = try #require(await ChannelzRegistry.process.socket(id: reference.id))
            #expect(socket.isClient)
            #expect(socket.remote == .ip([127, 0, 0, 1], port: loopback.port))
            #expect((socket.streams.started, socket.messagesSent.count, socket.messagesReceived.count) == (3, 3, 2))
            #expect(socket.peerMaxConcurrentStreams == 256)

            #expect(after.trace.events.map(\.description) == ["An address came.", "Connecting.", "Ready."])
            #expect(after.trace.count == 3 && after.trace.events.first?.subchannel == below)
            #expect(subchannel.trace.events.map(\.description) == ["Connecting.", "Ready."])
        }
    }

    @Test func `counts a call whose connection is lost as one that failed`() async throws {
        let calls = try await HostilePeer.serve(Array("This is no HTTP/2, and long enough to be known as such.".utf8)) { port in
            let channel = RPCChannel(
                target: ("127.0.0.1", port), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            await #expect(throws: RPCError.self) { try await channel.unary(Notes.say, "a") }
            let calls = await ChannelzRegistry.process.channel(id: channel.channelzID)?.calls
            await channel.close()
            return calls
        }

        let seen = try #require(calls)
        #expect((seen.started, seen.succeeded, seen.failed) == (1, 0, 1))
    }

    /// The server has room for one call, whose handler heeds no cancellation.
    @Test(.timeLimit(.minutes(1))) func `counts a call that is refused and sent again once, and its server each time`() async throws {
        let begun = Signal()
        let release = Signal()
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            begun.fire()
            await Task { await release.wait() }.value
            return note
        }

        try await withLoopback([handler], server: { $0.maxConcurrentStreams = 1 }) { loopback in
            let first = Task { try await loopback.channel.unary(Notes.say, "a") }
            await begun.wait()
            first.cancel()
            let cancelled = await first.result
            let error = await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "b") }
            let ofChannel = try #require(await ChannelzRegistry.process.channel(id: loopback.channel.channelzID))
            let ofServer = try #require(await ChannelzRegistry.process.server(id: loopback.server.channelzID))
            let sockets = ChannelzRegistry.process.sockets(ofServer: loopback.server.channelzID, from: 0, atMost: 1)
            let reference = try #require(sockets?.elements.first)
            let socket = try #require(await ChannelzRegistry.process.socket(id: reference.id))
            release.fire()

            if case .success = cancelled { Issue.record("The first call was not cancelled.") }
            #expect(error?.code == .unavailable)
            #expect((ofChannel.calls.started, ofChannel.calls.succeeded, ofChannel.calls.failed) == (2, 0, 2))
            #expect((ofServer.calls.started, ofServer.calls.succeeded, ofServer.calls.failed) == (3, 0, 3))
            #expect((socket.streams.started, socket.streams.succeeded, socket.streams.failed) == (3, 0, 3))
        }
    }

    @Test func `keeps its numbers when the channel is closed`() async throws {
        try await withLoopback([NotesService.echo]) { loopback in
            _ = try await loopback.channel.unary(Notes.say, "hi")
            await loopback.channel.close()

            let closed = try #require(await ChannelzRegistry.process.channel(id: loopback.channel.channelzID))
            #expect((closed.state, closed.calls.succeeded) == (.shutdown, 1))
        }
    }
}

/// What happened to a thing, the newest of it.
@Suite struct `A channelz trace` {
    @Test func `counts all that happened and keeps the newest`() {
        var trace = ChannelzTrace()

        for number in 1...100 { trace.note("event \(number)") }

        #expect(trace.count == 100)
        #expect(trace.events.map(\.description) == (69...100).map { "event \($0)" })
    }

    @Test func `of a whole has the events of its parts in the order of time`() {
        let made = Instant(microsecondsSinceEpoch: 0)
        var one = ChannelzTrace(created: made)
        var other = ChannelzTrace(created: made)
        one.note("first", at: Instant(microsecondsSinceEpoch: 1))
        other.note("second", .warning, at: Instant(microsecondsSinceEpoch: 2))
        one.note("third", at: Instant(microsecondsSinceEpoch: 3))

        let whole = ChannelzTrace(joining: [one, other], created: made)

        #expect(whole.count == 3)
        #expect(whole.events.map(\.description) == ["first", "second", "third"])
        #expect(whole.events.map(\.severity) == [.info, .warning, .info])
    }
}
