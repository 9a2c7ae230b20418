@testable import HTTP2
import Logging
import NIOCore
import NIOEmbedded
@testable import RPC
import Synchronization

/// A server's connection without a socket: its client does anything, its handlers are of every kind, and one of them
/// ends only when it is cancelled.
final class ServerFuzz {
    private static let maxConcurrentStreams = 8

    private let loop = EmbeddedEventLoop()
    private let handlers = HandlerCounts()
    private let methods: MethodTable

    init() {
        methods = MethodTable([EchoService(handlers)], interceptors: [])
    }

    func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        let mode = input.byte()
        handlers.connectionsEnded.withLock { $0 = 0 }
        let channel = EmbeddedChannel(loop: loop)
        let connection = try connect(channel)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()

        if mode & 4 != 0 {
            try receive(input.remaining(), channel)
        } else {
            try receive(PeerScript.clientPreface + Frame.bytes(4, flags: 0, stream: 0, []), channel)
            var script = PeerScript(input)
            while channel.isActive, let step = script.next() {
                switch step {
                case .bytes(let bytes): try receive(bytes, channel)
                case .local(22, _, let detail): loop.advanceTime(by: .seconds(Int64(detail)))
                case .local(23, _, 255): connection.drain()
                case .local(24, _, 255): connection.closeNow()
                case .local: loop.run()
                }
                while try channel.readOutbound(as: ByteBuffer.self) != nil {}
            }
        }
        try end(channel)
    }

    private func connect(_ channel: EmbeddedChannel) throws -> ServerConnection {
        var configuration = RPCServerConfiguration(host: "", port: 0)
        // So little that compressed messages too are unpacked on the loop, which has no other thread.
        configuration.maxReceiveMessageBytes = 500
        configuration.maxMetadataBytes = 1_000
        var settings = HTTP2Settings()
        settings.maxConcurrentStreams = UInt32(ServerFuzz.maxConcurrentStreams)
        settings.streamWindowBytes = 4_000
        settings.connectionWindowBytes = 65_535
        settings.maxHeaderListBytes = configuration.maxMetadataBytes
        let http = try HTTP2Connection(
            role: .server, settings: settings, executor: LoopExecutor.of(loop), requiresALPN: false)
        let terms = ServerConnection.Terms(configuration, methods, Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
        let connection = ServerConnection(
            terms, http: http, peer: "fuzz",
            onEnd: { [handlers] _ in handlers.connectionsEnded.withLock { $0 += 1 } }
        )
        try channel.pipeline.syncOperations.addHandler(http)
        http.attach(connection)
        connection.begin()
        return connection
    }

    private func receive(_ bytes: [UInt8], _ channel: EmbeddedChannel) throws {
        try channel.writeInbound(ByteBuffer(bytes: bytes))
        loop.run()
        let running = handlers.running.withLock { $0 }
        try Finding.unless(
            running <= ServerFuzz.maxConcurrentStreams,
            "\(running) handlers run on a connection that may have \(ServerFuzz.maxConcurrentStreams) calls")
    }

    /// Whatever happened, closing the connection ends every handler, and the server hears of it once.
    private func end(_ channel: EmbeddedChannel) throws {
        if channel.isActive { channel.close(promise: nil) }
        loop.run()
        loop.advanceTime(by: .seconds(2))
        let running = handlers.running.withLock { $0 }
        try Finding.unless(running == 0, "\(running) handlers run after their connection has ended")
        let ended = handlers.connectionsEnded.withLock { $0 }
        try Finding.unless(ended == 1, "the server heard \(ended) times that the connection ended")
    }
}
