import HTTP2
import Testing

@testable import RPC

@Suite struct `Requests that have not come whole` {
    @Test func `are kept up to the bound of their connection`() {
        var requests = UnfinishedRequests(limit: 1_000, of: UnfinishedBudget(bytes: 0))

        let kept = [(0, 600), (0, 401), (0, 400), (600, 0)].map { requests.change(from: $0.0, to: $0.1) }

        #expect(kept == [true, false, true, true])
        #expect(requests.byteCount == 400)
    }

    @Test func `are kept up to the bound of the server, whose bytes come back`() {
        let (own, step) = (UnfinishedRequests.ownBytes, UnfinishedRequests.stepBytes)
        let budget = UnfinishedBudget(bytes: 2 * step)
        var first = UnfinishedRequests(limit: .max, of: budget)
        var second = UnfinishedRequests(limit: .max, of: budget)

        let takesAll = first.change(from: 0, to: own + 2 * step)
        let hasItsOwn = second.change(from: 0, to: own)
        let hasMore = second.change(from: own, to: own + 1)
        _ = first.change(from: own + 2 * step, to: 0)
        let hasMoreLater = second.change(from: own, to: own + 2 * step)
        _ = second.change(from: own + 2 * step, to: 0)

        #expect([takesAll, hasItsOwn, hasMore, hasMoreLater] == [true, true, false, true])
        #expect(budget.take(2 * step))
    }

    /// A message that says it has 200,000 bytes, and half of them.
    private static let half: [UInt8] = [0, 0, 0x03, 0x0d, 0x40] + [UInt8](repeating: 97, count: 100_000)

    @Test(.timeLimit(.minutes(1)), arguments: ["Say", "Chat"])
    func `end their call where there is no room for more`(method: String) async throws {
        let chat = MethodHandler.bidirectional(Notes.chat) { requests, _, _ in for try await _ in requests {} }

        let heard = try await withLoopback([NotesService.echo, chat], server: { $0.maxConnectionUnfinishedBytes = 50_000 }) { loopback in
            try await RawPeer.ask(port: loopback.port, .call(method), body: Self.half, endsBody: false)
        }

        #expect(heard.header("grpc-status") == "8")
        #expect(heard.events.contains(.streamClosed(1, .noError)))
    }

    @Test(.timeLimit(.minutes(1))) func `are refused for their metadata too, and for a message that only lacks its end`() async throws {
        let large = ["x-large": String(repeating: "a", count: 8_000)]
        let whole: [UInt8] = [0, 0, 0, 0x1f, 0x40] + [UInt8](repeating: 97, count: 8_000)

        let (metadata, message) = try await withLoopback([NotesService.echo], server: { $0.maxConnectionUnfinishedBytes = 7_000 }) { loopback in
            (
                try await RawPeer.ask(port: loopback.port, .call("Say", large), body: [0, 0], endsBody: false),
                try await RawPeer.ask(port: loopback.port, .call("Say"), body: whole, endsBody: false)
            )
        }

        #expect(metadata.header("grpc-status") == "8")
        #expect(message.header("grpc-status") == "8")
    }

    @Test func `take no room once they have been answered`() async throws {
        let text = String(repeating: "a", count: 60_000)

        try await withLoopback([NotesService.echo], server: { $0.maxConnectionUnfinishedBytes = 100_000 }) { loopback in
            for _ in 1...5 {
                let answer = try await loopback.channel.unary(Notes.say, Note(text))
                #expect(answer == Note(text))
            }
        }
    }

    @Test func `are let go of by the call that was answered, and kept by copies of its context`() async throws {
        var context = RPCContext(method: Notes.say.descriptor)
        context.note([1, 2, 3])
        let copy = context

        context.forgetRequest()
        let forgotten = try await context.requestBytes()
        let kept = try await copy.requestBytes()

        #expect(forgotten == nil)
        #expect(kept == [1, 2, 3])
    }
}
