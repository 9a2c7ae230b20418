import HTTP2
import NIOCore
import NIOPosix
import RPC
import Synchronization
import Testing

/// Writes down every call that has ended.
private final class Journal: RPCObserver {
    struct Entry: Equatable {
        var method: String
        var code: StatusCode
        var requestBytes = 0
        var responseBytes = 0
    }

    private let entries = Mutex<[Entry]>([])
    private let traceIDs = Mutex<[String]>([])

    var all: [Entry] { entries.withLock { $0 } }
    var traces: [String] { traceIDs.withLock { $0 } }

    func meter(of method: MethodDescriptor?) -> any CallMeter { Meter(journal: self, method: method?.name ?? "none") }

    private struct Meter: CallMeter {
        let journal: Journal
        let method: String

        func ended(_ call: borrowing CallRecord) {
            let entry = Entry(
                method: method, code: call.code, requestBytes: call.requestBytes, responseBytes: call.responseBytes)
            let trace = call.trace?.traceID ?? ""
            journal.entries.withLock { $0.append(entry) }
            journal.traceIDs.withLock { $0.append(trace) }
        }
    }
}

@Suite struct `An observer of a server` {
    private func observe(
        _ handlers: [MethodHandler], _ body: @Sendable (Loopback) async throws -> Void
    ) async throws -> [Journal.Entry] {
        let journal = Journal()
        try await withLoopback(handlers, observers: [journal], body)
        return journal.all
    }

    @Test func `hears of a call that was answered, with the bytes of both sides`() async throws {
        let entries = try await observe([NotesService.echo]) { _ = try await $0.channel.unary(Notes.say, "12345") }

        #expect(entries == [.init(method: "Say", code: .ok, requestBytes: 10, responseBytes: 10)])
    }

    @Test func `hears of a call that failed, and of one to a method that is not there`() async throws {
        let failing = MethodHandler.unary(Notes.say) { _, _ in throw RPCError(.notFound, "It is not there.") }

        let entries = try await observe([failing]) { loopback in
            await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "") }
            await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.method("Sing", .unary), "") }
        }

        #expect(entries.map(\.code) == [.notFound, .unimplemented])
        #expect(entries.map(\.method) == ["Say", "none"])
    }

    @Test func `hears of the trace of a request, also of one to a method that is not there`() async throws {
        let journal = Journal()

        try await withLoopback([NotesService.echo], observers: [journal]) { loopback in
            for (name, id) in [("Say", "0af7651916cd43dd8448eb211c80319c"), ("Sing", "4bf92f3577b34da6a3ce929d0e0e4736")] {
                let options = CallOptions(metadata: ["traceparent": "00-\(id)-b7ad6b7169203331-01"])
                _ = try? await loopback.channel.unary(Notes.method(name, .unary), "", options: options)  // One is not there.
            }
        }

        #expect(journal.traces == ["0af7651916cd43dd8448eb211c80319c", "4bf92f3577b34da6a3ce929d0e0e4736"])
    }

    @Test func `hears once of a call that came too late`() async throws {
        let sleeping = MethodHandler.unary(Notes.say) { note, _ in
            try await Task.sleep(for: .seconds(60))
            return note
        }

        let entries = try await observe([sleeping]) { loopback in
            // Connected first, so that the time is the call's alone.
            await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.method("Sing", .unary), "") }
            let options = CallOptions(timeout: .seconds(1))
            await #expect(throws: RPCError.self) { try await loopback.channel.unary(Notes.say, "", options: options) }
        }

        // Whether the deadline's end or its caller's comes first is a matter of microseconds.
        #expect(entries.count == 2 && [.deadlineExceeded, .cancelled].contains(entries[1].code))
    }

    @Test func `hears once of a call that its caller gave up`() async throws {
        let hasBegun = Signal()
        let sleeping = MethodHandler.unary(Notes.say) { note, _ in
            hasBegun.fire()
            try await Task.sleep(for: .seconds(60))
            return note
        }

        let entries = try await observe([sleeping]) { loopback in
            let call = Task { try await loopback.channel.unary(Notes.say, "") }
            await hasBegun.wait()
            call.cancel()
            await #expect(throws: RPCError.self) { try await call.value }
        }

        #expect(entries.map(\.code) == [.cancelled])
    }

    @Test(.timeLimit(.minutes(1))) func `hears of a call for which its connection has no place`() async throws {
        let journal = Journal()
        let hasBegun = Signal()
        let mayEnd = Signal()
        // It does not heed that its caller has gone, and keeps its place.
        let stubborn = MethodHandler.unary(Notes.say) { note, _ in
            hasBegun.fire()
            await Task { await mayEnd.wait() }.value
            return note
        }

        try await withLoopback([stubborn], server: { $0.maxConcurrentStreams = 1 }, observers: [journal]) { loopback in
            let first = Task { try await loopback.channel.unary(Notes.say, "") }
            await hasBegun.wait()
            first.cancel()
            await #expect(throws: RPCError.self) { try await first.value }
            async let second = try? loopback.channel.unary(Notes.say, "")  // It may find a place once there is one.
            while journal.all.count < 2 { try await Task.sleep(for: .milliseconds(5)) }
            mayEnd.fire()
            _ = await second
        }

        #expect(journal.all.first?.code == .cancelled)
        #expect(journal.all.contains(.init(method: "none", code: .unavailable)))
    }

    @Test func `hears once of a call that was answered, when its connection is lost before the answer was taken`() async throws {
        let journal = Journal()
        // More than the caller lets the server send.
        let answer = Note(String(repeating: "x", count: 1 << 20))
        let handler = MethodHandler.unary(Notes.say) { _, _ in answer }

        try await withLoopback([handler], observers: [journal]) { loopback in
            let caller = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let peer = try RawPeer(role: .client) { session in
                            guard let stream = try? session.sendRequest(.call("Say"), endStream: false) else { return }
                            session.send([0, 0, 0, 0, 1, 0x61], on: stream)
                            session.finish(stream)
                        } react: { _, _, _ in }
                        try channel.pipeline.syncOperations.addHandler(peer)
                    }
                }
                .connect(host: "127.0.0.1", port: loopback.port)
                .get()
            while journal.all.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            try await caller.close()
        }

        #expect(journal.all.map(\.code) == [.ok])
    }
}
