import Logging
import RPC
import Testing

@Suite struct `A server that shuts down` {
    @Test func `lets calls end that it has begun, and takes no new ones`() async throws {
        let started = Signal()
        let mayEnd = Signal()
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            started.fire()
            await mayEnd.wait()
            return note
        }

        try await withLoopback([handler], channel: { $0.initialBackoff = .seconds(60) }) { loopback in
            let call = Task { try await loopback.channel.unary(Notes.say, "a") }
            await started.wait()
            loopback.server.beginGracefulShutdown()
            // The listener is closed, so sooner or later a new call finds nobody.
            var refusal: RPCError?
            while refusal == nil {
                let late = Task { try await loopback.channel.unary(Notes.say, "late", options: .init(timeout: .milliseconds(100))) }
                if case .failure(let error as RPCError) = await late.result, error.code == .unavailable { refusal = error }
            }
            mayEnd.fire()
            let answer = try await call.value
            #expect(answer == "a")
        }
    }

    @Test func `cancels what does not end in time`() async throws {
        let started = Signal()
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            started.fire()
            await waitForCancellation()
            return note
        }

        let error = try await withLoopback([handler], server: { $0.drainTimeout = .milliseconds(50) }) { loopback in
            let call = Task { try await loopback.channel.unary(Notes.say, "a") }
            await started.wait()
            loopback.server.beginGracefulShutdown()
            return await #expect(throws: RPCError.self) { try await call.value }
        }

        #expect(error?.code == .unavailable)
    }

    @Test func `returns at once when nobody is connected`() async throws {
        let server = RPCServer(
            configuration: .init(host: "127.0.0.1", port: 0),
            services: [],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )

        try await server.run { _, _ in server.beginGracefulShutdown() }
    }

    @Test func `before it runs never serves`() async throws {
        let server = RPCServer(
            configuration: .init(host: "127.0.0.1", port: 0),
            services: [],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )

        server.beginGracefulShutdown()

        try await server.run()
    }

    @Test func `because its task was cancelled ends its calls`() async throws {
        let started = Signal()
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            started.fire()
            await waitForCancellation()
            return note
        }
        let server = RPCServer(
            configuration: .init(host: "127.0.0.1", port: 0),
            services: [NotesService(handlers: [handler])],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let running = Task { try await server.run { _, port in listening.yield(port) } }
        let port = try #require(await ports.first { _ in true })
        let channel = RPCChannel(target: ("127.0.0.1", port), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let call = Task { try await channel.unary(Notes.say, "a") }
        await started.wait()

        running.cancel()

        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .unavailable)
        try await running.value
        await channel.close()
    }
}

@Suite struct `A channel` {
    @Test func `whose server is not there fails its calls at once`() async throws {
        let channel = RPCChannel(target: ("127.0.0.1", 1), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })

        let error = await #expect(throws: RPCError.self) { try await channel.unary(Notes.say, "a") }

        #expect(error?.code == .unavailable)
        await channel.close()
    }

    @Test func `whose server is not there lets a call wait until its deadline`() async throws {
        let channel = RPCChannel(target: ("127.0.0.1", 1), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })

        let error = await #expect(throws: RPCError.self) {
            try await channel.unary(Notes.say, "a", options: .init(timeout: .milliseconds(100), waitForReady: true))
        }

        #expect(error?.code == .deadlineExceeded)
        await channel.close()
    }

    @Test func `finds its server again on the same port`() async throws {
        let port = try await withLoopback([NotesService.echo]) { $0.port }
        var configuration = RPCChannelConfiguration()
        configuration.initialBackoff = .milliseconds(5)
        configuration.maxBackoff = .milliseconds(20)
        let channel = RPCChannel(
            target: ("127.0.0.1", port),
            configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )

        for _ in 0..<2 {
            let answer = try await withLoopback([NotesService.echo], server: { $0.port = port }) { _ in
                try await channel.unary(Notes.say, "a", options: .init(waitForReady: true))
            }
            #expect(answer == "a")
        }
        await channel.close()
    }

    @Test func `that was closed makes no more calls`() async throws {
        let error = try await withLoopback([NotesService.echo]) { loopback in
            await loopback.channel.close()
            return await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "a") }
        }

        #expect(error?.code == .unavailable)
    }

    @Test func `without calls for a while closes its connection, and makes another for the next`() async throws {
        try await withLoopback([NotesService.echo], channel: { $0.idleTimeout = .milliseconds(10) }) { loopback in
            for _ in 0..<2 {
                _ = try await loopback.channel.unary(Notes.say, "a")
                while await loopback.channel.state() != .idle { try await Task.sleep(for: .milliseconds(1)) }
            }
        }
    }

    @Test func `lets no more calls wait than it may`() async throws {
        var configuration = RPCChannelConfiguration()
        configuration.maxWaitingCalls = 1
        let channel = RPCChannel(
            target: ("127.0.0.1", 1), configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })

        let codes = await withTaskGroup(of: StatusCode?.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    let options = CallOptions(timeout: .milliseconds(200), waitForReady: true)
                    do throws(RPCError) { _ = try await channel.unary(Notes.say, "a", options: options) } catch { return error.code }
                    return nil
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }

        #expect(codes.count { $0 == .resourceExhausted } >= 1)
        #expect(codes.count { $0 == .deadlineExceeded } >= 1)
        await channel.close()
    }

    @Test func `runs until it is closed`() async throws {
        try await withLoopback([NotesService.echo]) { loopback in
            async let running: Void = loopback.channel.run()
            _ = try await loopback.channel.unary(Notes.say, "a")
            await loopback.channel.close()
            await running
        }
    }
}

@Suite struct `A channel that is forgotten` {
    @Test func `closes its connection, so that its server can end`() async throws {
        let server = RPCServer(
            configuration: .init(host: "127.0.0.1", port: 0),
            services: [NotesService(handlers: [NotesService.echo])],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        async let running: Void = server.run { _, port in listening.yield(port) }
        let port = try #require(await ports.first { _ in true })

        func callOnce() async throws -> Note {
            let channel = RPCChannel(target: ("127.0.0.1", port), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            return try await channel.unary(Notes.say, "a")
        }
        let answer = try await callOnce()
        server.beginGracefulShutdown()
        try await running

        #expect(answer == "a")
    }
}
