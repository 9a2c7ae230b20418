import Contracts
import RPC
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// A method of streams that a service answers in a way of the test's.
private let streamMessage = ChatV1.DraftsServiceMethods.streamMessage.descriptor

@Suite struct `Calls of streams` {
    private typealias Bytes = RawMessage

    private func withRelay(
        _ changes: [String: String] = [:],
        _ answer: @escaping @Sendable (RequestStream<RawMessage>, ResponseWriter<RawMessage>, RPCContext) async throws -> Void,
        _ body: @escaping @Sendable (Gateways, CallOptions) async throws -> Void
    ) async throws {
        let handler = MethodHandler.bidirectional(Method<RawMessage, RawMessage>(streamMessage), answer)
        try await withService(answering: [handler]) { port in
            try await withGateways(1, services: [.chat: port], changes) { gateways in try await body(gateways, try await gateways.signedIn()) }
        }
    }

    @Test func `go through the Gateway message by message, each way`() async throws {
        try await withRelay { requests, responses, _ in
            for try await request in requests { try await responses.write(RawMessage(request.bytes.reversed())) }
            try await responses.write(RawMessage([0]))
        } _: { gateways, ada in
            let answers = try await gateways.channels[0].bidirectional(Method<RawMessage, RawMessage>(streamMessage), options: ada) {
                writer, answers in
                var received: [[UInt8]] = []
                var iterator = answers.makeAsyncIterator()
                // The answer to one is there before the next is sent.
                for number in 1...5 as ClosedRange<UInt8> {
                    try await writer.write(RawMessage([number, 7]))
                    if let answer = try await iterator.next() { received.append(answer.bytes) }
                }
                writer.finish()
                while let answer = try await iterator.next() { received.append(answer.bytes) }
                return received
            }
            #expect(answers == (1...5).map { [7, $0] } + [[0]])
        }
    }

    @Test func `end as the service ends them, while their caller still sends`() async throws {
        try await withRelay { requests, responses, _ in
            var iterator = requests.makeAsyncIterator()
            _ = try await iterator.next()
            throw RPCError(.aborted, "Another call goes on with it.")
        } _: { gateways, ada in
            let error = await #expect(throws: RPCError.self) {
                try await gateways.channels[0].bidirectional(Method<RawMessage, RawMessage>(streamMessage), options: ada) { writer, answers in
                    try await writer.write(RawMessage([1]))
                    for try await _ in answers {}
                }
            }
            #expect(error?.code == .aborted && error?.message == "Another call goes on with it.")
        }
    }

    @Test func `end at the service when their caller goes away`() async throws {
        let begun = Atomic(false)
        let ended = Atomic(false)
        try await withRelay { requests, _, _ in
            begun.store(true, ordering: .relaxed)
            defer { ended.store(true, ordering: .relaxed) }
            for try await _ in requests {}
        } _: { gateways, ada in
            let call = Task {
                try await gateways.channels[0].bidirectional(Method<RawMessage, RawMessage>(streamMessage), options: ada) { writer, answers in
                    try await writer.write(RawMessage([1]))
                    for try await _ in answers {}
                }
            }
            try await until { begun.load(ordering: .relaxed) }
            call.cancel()
            try await until { ended.load(ordering: .relaxed) }
        }
    }

    @Test func `take places of their own, and a slow reader slows the service down`() async throws {
        let written = Atomic(0)
        try await withRelay(["HEARTGUARD_SERVICE_MAX_STREAMS": "1", "HEARTGUARD_SERVICE_MAX_CALLS": "1"]) { _, responses, _ in
            for _ in 0..<800 {
                try await responses.write(RawMessage([UInt8](repeating: 7, count: 100_000)))
                written.wrappingAdd(1, ordering: .relaxed)
            }
        } _: { gateways, ada in
            let method = Method<RawMessage, RawMessage>(streamMessage)
            let count = try await gateways.channels[0].bidirectional(method, options: ada) { writer, answers in
                writer.finish()
                var iterator = answers.makeAsyncIterator()
                _ = try await iterator.next()
                // Another stream finds no place; the service's other calls do.
                let refused = await #expect(throws: RPCError.self) {
                    try await gateways.channels[0].bidirectional(method, options: ada) { _, answers in for try await _ in answers {} }
                }
                #expect(refused?.code == .unavailable)
                #expect(await gateways.call(ChatV1.ChatServiceMethods.listSessions.descriptor, ada).code == .unimplemented)
                // Of 80 MB no more is under way than two connections' windows, which grow to 16 MiB each where answers are slow.
                try await Task.sleep(for: .milliseconds(500))
                #expect(written.load(ordering: .relaxed) < 400)
                var count = 1
                while try await iterator.next() != nil { count += 1 }
                return count
            }
            #expect(count == 800)
        }
    }
}
