import Dispatch
import HTTP2
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import RPC

/// Times calls, and does nothing with it.
private struct Timing: RPCObserver, CallMeter {
    func meter(of method: MethodDescriptor?) -> any CallMeter { self }
    func ended(_ call: borrowing CallRecord) {}
}

/// What two calls do that come together, both on the thread that reads them.
private final class TwoCalls: Sendable {
    private let begun = Atomic(0)
    private let isAnswered = DispatchSemaphore(value: 0)
    private let isInTime = Atomic(false)
    /// Whether the first one's answer was there when the second went on.
    var wasAnswered: Bool { isInTime.load(ordering: .acquiring) }

    /// The first takes a while; the second waits for the first one's answer to arrive.
    func handle() {
        if begun.add(1, ordering: .relaxed).newValue == 1 {
            let end = ContinuousClock.now + .milliseconds(1)
            while .now < end {}
        } else {
            isInTime.store(isAnswered.wait(timeout: .now() + 30) == .success, ordering: .releasing)
        }
    }

    func firstIsAnswered() { isAnswered.signal() }
}

@Suite struct `Calls that come together` {
    @Test func `are answered as they end where one takes long, and not behind the last`() async throws {
        let calls = TwoCalls()
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            calls.handle()
            return note
        }

        try await withLoopback([handler], observers: [Timing()]) { loopback in
            // A thread that is not the server's.
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let (closed, closings) = AsyncStream.makeStream(of: Void.self)
            let channel = try await ClientBootstrap(group: group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let peer = try RawPeer(role: .client) { session in
                            for _ in 0..<2 {
                                guard let stream = try? session.sendRequest(.call("Say"), endStream: false) else { return }
                                session.send([0, 0, 0, 0, 2, 104, 105], on: stream)
                                session.finish(stream)
                            }
                        } react: { _, event, _ in
                            guard case .streamClosed = event else { return }
                            calls.firstIsAnswered()
                            closings.yield()
                        }
                        try channel.pipeline.syncOperations.addHandler(peer)
                    }
                }
                .connect(host: "127.0.0.1", port: loopback.port)
                .get()
            var count = 0
            for await _ in closed {
                count += 1
                if count == 2 { break }
            }
            try await channel.close()
            try await group.shutdownGracefully()
        }

        #expect(calls.wasAnswered)
    }
}
