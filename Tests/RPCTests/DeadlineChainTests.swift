import RPC
import Testing
import Time

/// A calls B, which calls C: what each hop allows is what its caller has left.
@Suite struct `A chain of three calls` {
    private static func chain<Result: Sendable>(
        _ last: MethodHandler,
        _ body: @Sendable (Loopback) async throws -> Result
    ) async throws -> Result {
        try await withLoopback([last]) { third in
            let second = MethodHandler.unary(Notes.say) { text, _ in try await third.channel.unary(Notes.say, text) }
            return try await withLoopback([second]) { second in
                let first = MethodHandler.unary(Notes.say) { text, _ in try await second.channel.unary(Notes.say, text) }
                return try await withLoopback([first]) { try await body($0) }
            }
        }
    }

    /// Microseconds that are left, behind those of the hops further on.
    @Sendable private static func withRest(_ note: Note) -> Note {
        let rest = Deadline.current.map { Int($0.remaining / .microseconds(1)) } ?? 0
        return Note(note.text.isEmpty ? "\(rest)" : "\(note.text) \(rest)")
    }

    @Test func `gives no hop more time than the one before has left`() async throws {
        // Each hop says what it has left before it calls on.
        let third = MethodHandler.unary(Notes.say) { note, _ in Self.withRest(note) }

        let answer = try await withLoopback([third]) { third in
            let second = MethodHandler.unary(Notes.say) { note, _ in
                try await third.channel.unary(Notes.say, Self.withRest(note))
            }
            return try await withLoopback([second]) { second in
                let first = MethodHandler.unary(Notes.say) { note, _ in
                    try await second.channel.unary(Notes.say, Self.withRest(note))
                }
                return try await withLoopback([first]) { first in
                    try await first.channel.unary(Notes.say, "", options: .init(timeout: .seconds(40)))
                }
            }
        }

        let rests = answer.text.split(separator: " ").compactMap { Int($0) }
        #expect(rests.count == 3)
        #expect(rests[0] <= 40_000_000)
        // What travels is rounded up to a microsecond, so that no callee gives up before its caller.
        #expect(rests[1] <= rests[0] + 1 && rests[2] <= rests[1] + 1)
        #expect(rests[2] > 0)
    }

    @Test func `ends at its far end when the caller at the near end cancels`() async throws {
        let started = Signal()
        let cancelled = Signal()
        let last = MethodHandler.unary(Notes.say) { note, _ in
            started.fire()
            await waitForCancellation()
            cancelled.fire()
            return note
        }

        try await Self.chain(last) { loopback in
            let call = Task { try await loopback.channel.unary(Notes.say, "a") }
            await started.wait()
            call.cancel()
            await cancelled.wait()
            let result = await call.result
            #expect(throws: RPCError.self) { try result.get() }
        }
    }

    @Test func `ends at its far end when the deadline of the near end passes`() async throws {
        let started = Counter()
        let cancelled = Signal()
        let last = MethodHandler.unary(Notes.say) { note, _ in
            started.increment()
            await waitForCancellation()
            cancelled.fire()
            return note
        }

        try await Self.chain(last) { loopback in
            // A busy machine may need longer to bring the call to its far end, so each try allows more.
            var timeout = Duration.milliseconds(500)
            while started.value == 0 {
                let error = await #expect(throws: RPCError.self) {
                    try await loopback.channel.unary(Notes.say, "a", options: .init(timeout: timeout))
                }
                #expect(error?.code == .deadlineExceeded)
                timeout = timeout * 2
            }
            await cancelled.wait()
        }
    }
}
