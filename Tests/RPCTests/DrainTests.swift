import HTTP2
import Logging
import NIOCore
import NIOPosix
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

    @Test(.timeLimit(.minutes(1)))
    func `names the last call once, however often a client says that it has heard of the end`() async throws {
        let started = Signal()
        let mayEnd = Signal()
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            started.fire()
            await mayEnd.wait()
            return note
        }
        let goAways = Counter()

        try await withLoopback([handler]) { loopback in
            let named = Signal()
            let client = try await Acknowledger.call(port: loopback.port, goAways, named)
            await started.wait()
            loopback.server.beginGracefulShutdown()
            await named.wait()
            mayEnd.fire()
            try await client.closeFuture.get()
        }

        #expect(goAways.value == 2)
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

    @Test func `returns when handlers have ended that it cancelled, late as they may be`() async throws {
        let started = Signal()
        let ended = Counter()
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            started.fire()
            await waitForCancellation()
            // What is not to be left half done, such as a transaction that is rolled back.
            await Task { try? await Task.sleep(for: .milliseconds(300)) }.value
            ended.increment()
            return note
        }

        try await withLoopback([handler], server: { $0.drainTimeout = .milliseconds(50) }) { loopback in
            let call = Task { try await loopback.channel.unary(Notes.say, "a") }
            await started.wait()
            loopback.server.beginGracefulShutdown()
            _ = await call.result
        }

        #expect(ended.value == 1)
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
        #expect(error?.message == "The deadline passed before the call could be sent to a server.")
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
                    let options = CallOptions(timeout: .seconds(1), waitForReady: true)
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

    @Test func `counts none among the calls that wait whose caller has gone`() async throws {
        var configuration = RPCChannelConfiguration()
        configuration.maxWaitingCalls = 1
        configuration.initialBackoff = .seconds(60)
        let channel = RPCChannel(
            target: ("127.0.0.1", 1), configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        // It cannot be reached, and for a minute nothing more happens to the connection.
        _ = try? await channel.unary(Notes.say, "a")
        let executor = channel.taskExecutor
        let first = Task(executorPreference: executor) {
            try await channel.unary(Notes.say, "a", options: .init(waitForReady: true))
        }
        // What an executor was given first runs first, so the call waits by then.
        for _ in 0..<3 { await Task(executorPreference: executor) {}.value }

        first.cancel()
        _ = await first.result
        let error = await #expect(throws: RPCError.self) {
            try await channel.unary(Notes.say, "a", options: .init(timeout: .milliseconds(100), waitForReady: true))
        }

        #expect(error?.code == .deadlineExceeded)
        await channel.close()
    }

    @Test(.timeLimit(.minutes(1))) func `closes although its server takes nothing`() async throws {
        // Room for everything, as far as HTTP/2 is concerned; but nobody reads.
        let room = HostilePeer.frame(4, 0, 0, [0, 4, 0x7f, 0xff, 0xff, 0xff]) + HostilePeer.frame(8, 0, 0, [0x7f, 0, 0, 0])
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(SilentPeer(room)) }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        let channel = RPCChannel(
            target: ("127.0.0.1", listener.localAddress?.port ?? 0), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })

        let large = Note(String(repeating: "x", count: 32 << 20))

        let error = await #expect(throws: RPCError.self) {
            try await channel.unary(Notes.say, large, options: .init(timeout: .seconds(1)))
        }
        await channel.close()
        try await listener.close()

        #expect(error?.code == .deadlineExceeded)
    }

    @Test func `runs until it is closed`() async throws {
        try await withLoopback([NotesService.echo]) { loopback in
            async let running: Void = loopback.channel.run()
            _ = try await loopback.channel.unary(Notes.say, "a")
            await loopback.channel.close()
            await running
        }
    }

    @Test(.timeLimit(.minutes(1))) func `that was closed does not run`() async {
        let channel = RPCChannel(target: ("127.0.0.1", 1), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })

        await channel.close()

        await channel.run()
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

/// A client that makes one call, and acknowledges each ping a hundred times.
private final class Acknowledger: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: [UInt8]
    private let goAways: Counter
    private let named: Signal
    private var heard: [UInt8] = []

    init(_ request: [UInt8], _ goAways: Counter, _ named: Signal) {
        self.request = request
        self.goAways = goAways
        self.named = named
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: request)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heard += unwrapInboundIn(data).readableBytesView
        while heard.count >= 9 {
            let count = Int(heard[0]) << 16 | Int(heard[1]) << 8 | Int(heard[2])
            guard heard.count >= 9 + count else { return }
            let (type, flags, payload) = (heard[3], heard[4], Array(heard[9..<9 + count]))
            heard.removeFirst(9 + count)
            switch (type, flags) {
            case (4, 0): say(HostilePeer.frame(4, 1, 0), context)
            case (6, 0): say(HostilePeer.repeated(HostilePeer.frame(6, 1, 0, payload), 100), context)
            case (7, _): if goAways.increment() == 2 { named.fire() }
            default: break
            }
        }
    }

    private func say(_ words: [UInt8], _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: words)), promise: nil)
    }

    /// Counts the GOAWAYs that come, and says when there were two.
    static func call(port: Int, _ goAways: Counter, _ named: Signal) async throws -> any Channel {
        var session = try HTTP2Session(role: .client)
        let stream = try session.sendRequest(.call("Say"), endStream: false)
        session.send([0, 0, 0, 0, 1, 97], on: stream)
        session.finish(stream)
        var bytes: [UInt8] = []
        while let more = try session.nextOutput({ [UInt8](copying: $0) }) { bytes += more }
        let request = bytes
        return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Acknowledger(request, goAways, named))
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .get()
    }
}
