import RPC
import Synchronization
import Testing
import Time

@Suite struct `A deadline` {
    @Test func `ends the call`() async throws {
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            await waitForCancellation()
            return note
        }

        let error = try await withLoopback([handler]) { loopback in
            await #expect(throws: RPCError.self) {
                try await loopback.channel.unary(Notes.say, "a", options: .init(timeout: .milliseconds(20)))
            }
        }

        #expect(error?.code == .deadlineExceeded)
    }

    @Test func `that has already passed ends the call without sending it`() async throws {
        let error = try await withLoopback([NotesService.echo]) { loopback in
            await #expect(throws: RPCError.self) {
                try await loopback.channel.unary(Notes.say, "a", options: .init(timeout: .zero))
            }
        }

        #expect(error?.code == .deadlineExceeded)
    }

    @Test func `reaches the handler as the current one, and is never later than the method allows`() async throws {
        let method = Notes.method("Say", .unary, timeout: .slow)
        let handler = MethodHandler.unary(method) { note, context in
            #expect(Deadline.current == context.deadline)
            let remaining = try #require(Deadline.current?.remaining)
            return Note(remaining <= .seconds(note.text == "short" ? 50 : 60) ? "in time" : "late")
        }

        let (short, long) = try await withLoopback([handler]) {
            (
                try await $0.channel.unary(method, "short", options: .init(timeout: .seconds(50))),
                try await $0.channel.unary(method, "long", options: .init(timeout: .seconds(3_600)))
            )
        }

        #expect(short == "in time")
        #expect(long == "in time")
    }

    @Test func `of a caller is handed on to the calls that its handler makes`() async throws {
        let inner = MethodHandler.unary(Notes.say) { _, _ in
            Note((Deadline.current?.remaining ?? .seconds(999)) <= .seconds(50) ? "inherited" : "own")
        }

        let answer = try await withLoopback([inner]) { behind in
            let outer = MethodHandler.unary(Notes.say) { note, _ in try await behind.channel.unary(Notes.say, note) }
            return try await withLoopback([outer]) {
                try await $0.channel.unary(Notes.say, "a", options: .init(timeout: .seconds(50)))
            }
        }

        #expect(answer == "inherited")
    }

    @Test func `also ends a stream between two messages`() async throws {
        let handler = MethodHandler.serverStreaming(Notes.list) { _, responses, _ in
            try await responses.write("one")
            await waitForCancellation()
        }

        let (count, code) = try await withLoopback([handler]) {
            try await $0.channel.serverStreaming(Notes.list, "", options: .init(timeout: .milliseconds(50))) { responses in
                var count = 0
                do {
                    for try await _ in responses { count += 1 }
                    return (count, StatusCode.ok)
                } catch let error as RPCError {
                    return (count, error.code)
                }
            }
        }

        #expect(count <= 1)
        #expect(code == .deadlineExceeded)
    }
}

@Suite struct `Cancelling a call` {
    @Test func `cancels the handler's task`() async throws {
        let started = Signal()
        let cancelled = Signal()
        let handler = MethodHandler.unary(Notes.say) { note, _ in
            started.fire()
            await waitForCancellation()
            cancelled.fire()
            return note
        }

        let error = try await withLoopback([handler]) { loopback in
            let call = Task { try await loopback.channel.unary(Notes.say, "a") }
            await started.wait()
            call.cancel()
            let error = await #expect(throws: RPCError.self) { try await call.value }
            await cancelled.wait()
            return error
        }

        #expect(error?.code == .cancelled)
    }

    @Test func `happens to every call of a connection that is lost`() async throws {
        let started = Signal()
        let cancelled = Signal()
        let handler = MethodHandler.bidirectional(Notes.chat) { requests, _, _ in
            started.fire()
            do { for try await _ in requests {} } catch let error as RPCError {
                #expect(error.code == .cancelled)
                cancelled.fire()
            }
        }

        try await withLoopback([handler], channel: { $0.closeTimeout = .zero }) { loopback in
            let call = Task { try await loopback.channel.bidirectional(Notes.chat) { _, responses in for try await _ in responses {} } }
            await started.wait()
            await loopback.channel.close()
            await #expect(throws: RPCError.self) { try await call.value }
            await cancelled.wait()
        }
    }

    @Test func `before it is made sends nothing`() async throws {
        let error = try await withLoopback([NotesService.echo]) { loopback in
            let call = Task {
                await waitForCancellation()
                return try await loopback.channel.unary(Notes.say, "a")
            }
            call.cancel()
            return await #expect(throws: RPCError.self) { try await call.value }
        }

        #expect(error?.code == .cancelled)
    }
}

/// Suspends until the task is cancelled.
func waitForCancellation() async {
    let signal = Signal()
    await withTaskCancellationHandler {
        await signal.wait()
    } onCancel: {
        signal.fire()
    }
}
