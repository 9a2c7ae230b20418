import RPC
import Synchronization
import Testing

@Suite struct `A trace` {
    private static let sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test(arguments: ["a=é", "a=\u{7F}"]) func `is not handed on with what cannot be sent`(state: String) throws {
        let trace = try #require(TraceContext(["traceparent": Self.sent, "tracestate": "b=1", "tracestate": state]))

        #expect(trace.state == nil)
    }

    @Test func `is read from its header and written as it was`() throws {
        let trace = try #require(TraceContext(traceparent: Self.sent))

        #expect(trace.traceparent == Self.sent)
        #expect(trace.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(trace.isSampled)
    }

    @Test func `of a later version keeps what both versions know`() {
        let trace = TraceContext(traceparent: "cc" + Self.sent.dropFirst(2) + "-what-the-future-brings")

        #expect(trace?.traceparent == Self.sent)
    }

    @Test(arguments: [
        "", "00", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319cb7ad6b71692033310-01",
    ])
    func `that is not well formed is none`(header: String) {
        #expect(TraceContext(traceparent: header) == nil)
    }

    @Test func `begun here is one of a kind and nobody's to record`() {
        let traces = (0..<1_000).map { _ in TraceContext.make() }

        #expect(Set(traces.map(\.traceID)).count == 1_000)
        #expect(traces.allSatisfy { TraceContext(traceparent: $0.traceparent) == $0 && !$0.isSampled })
    }

    @Test func `goes from a caller through a server to the next one`() async throws {
        let seen = Mutex<[String: String]>([:])
        let last = MethodHandler.unary(Notes.say) { note, context in
            seen.withLock { seen in for field in context.metadata { seen[field.name] = field.value } }
            return Note(context.trace.traceID)
        }

        let answers = try await withLoopback([last]) { behind in
            let first = MethodHandler.unary(Notes.say) { note, context in
                #expect(context.trace == TraceContext.current)
                return try await behind.channel.unary(Notes.say, note)
            }
            return try await withLoopback([first]) { front in
                let options = CallOptions(metadata: ["traceparent": Self.sent, "tracestate": "a=1", "tracestate": "b=2"])
                let traced = try await front.channel.unary(Notes.say, "", options: options)
                let headers = seen.withLock { $0 }
                #expect(headers["traceparent"] == Self.sent)
                #expect(headers["tracestate"] == "a=1,b=2")
                let garbled = CallOptions(metadata: ["traceparent": "garbage", "tracestate": "a=1"])
                seen.withLock { $0 = [:] }
                let begun = try await front.channel.unary(Notes.say, "", options: garbled)
                #expect(seen.withLock { $0["tracestate"] } == nil)
                return (traced.text, begun.text)
            }
        }

        #expect(answers.0 == "0af7651916cd43dd8448eb211c80319c")
        #expect(answers.1.count == 32)
        #expect(answers.1 != answers.0)
    }
}
