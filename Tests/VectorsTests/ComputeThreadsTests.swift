internal import Dispatch
internal import Testing

@testable internal import Vectors

@Suite struct `The compute threads` {
    @Test func `return what was computed and throw what it threw`() async throws {
        struct Failure: Error {}
        let threads = ComputeThreads(name: "test", threads: 2, maxQueued: 4)

        #expect(try await threads.run { _ in 6 * 7 } == 42)
        await #expect(throws: Failure.self) { try await threads.run { _ in throw Failure() } }
    }

    @Test func `refuse at once what neither a thread nor the queue has place for`() async throws {
        let threads = ComputeThreads(name: "test", threads: 1, maxQueued: 1)

        try await threads.withAllTaken {
            await #expect(throws: ComputeThreads.Full.self) { try await threads.run { _ in } }
        }

        #expect(try await threads.run { _ in true })
    }

    @Test func `do not begin what nobody waits for any more`() async throws {
        let threads = ComputeThreads(name: "test", threads: 1, maxQueued: 4)
        let (begun, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))

        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await threads.run { _ in
                    begun.signal()
                    gate.wait()
                }
            }
            await begun.signalled()
            let waiting = Task { try await threads.run { _ in Issue.record("It ran.") } }
            await threads.waitUntilQueued(1)
            waiting.cancel()
            gate.signal()

            await #expect(throws: CancellationError.self) { try await waiting.value }
            try await group.waitForAll()
        }
    }

    @Test func `tell a computation that its caller has gone`() async throws {
        let threads = ComputeThreads(name: "test", threads: 1, maxQueued: 1)
        let begun = DispatchSemaphore(value: 0)
        let caller = Task {
            try await threads.run { cancellation in
                begun.signal()
                while !cancellation.isSet {}
                return "told"
            }
        }

        await begun.signalled()
        caller.cancel()

        #expect(try await caller.value == "told")
    }
}
