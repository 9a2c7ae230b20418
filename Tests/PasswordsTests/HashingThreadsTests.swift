import Dispatch
import Synchronization
import Testing

@testable import Passwords

@Suite struct `The hashing threads` {
    /// A job that tells when it has begun and stays until it is let go.
    final class Held: Sendable {
        let hasBegun = AsyncStream<Void>.makeStream()
        let release = DispatchSemaphore(value: 0)
        func run() {
            hasBegun.continuation.yield()
            release.wait()
        }
        func begun() async { for await _ in hasBegun.stream { return } }
    }

    @Test func `refuse a job when all are busy and the queue is full`() async {
        let threads = HashingThreads(threads: 1, maxQueued: 1)
        let held = Held()
        #expect(threads.offer { held.run() })
        await held.begun()

        let queued = threads.offer {}
        let refused = threads.offer {}

        #expect(queued)
        #expect(!refused)
        held.release.signal()
    }

    @Test func `finish what is queued when their owner is gone`() async {
        let held = Held()
        let finished = AsyncStream<Int>.makeStream()
        var threads: HashingThreads? = HashingThreads(threads: 1, maxQueued: 8)
        _ = threads?.offer { held.run() }
        await held.begun()
        for number in 1...3 { _ = threads?.offer { finished.continuation.yield(number) } }

        threads = nil
        held.release.signal()

        var seen: [Int] = []
        for await number in finished.stream {
            seen.append(number)
            if seen.count == 3 { break }
        }
        #expect(seen == [1, 2, 3])
        #expect(threads == nil)
    }

    @Test func `never compute for a caller that was cancelled while it waited`() async {
        let hasRun = Atomic(false)
        let job = HashingJob<Int> {
            hasRun.store(true, ordering: .relaxed)
            return 1
        }

        job.cancel()
        job.run()
        let answer = await job.answer()
        let ran = hasRun.load(ordering: .relaxed)

        #expect(!ran)
        #expect(throws: PasswordsError.self) { try answer.get() }
    }

    @Test func `answer a caller that comes after the work was done`() async throws {
        let job = HashingJob<Int> { 7 }

        job.run()

        #expect(try await job.answer().get() == 7)
    }
}

@Suite struct `A burst of logins` {
    @Test func `is served or refused as busy, one by one, and nobody is left waiting`() async {
        let passwords = Passwords(
            parameters: Argon2Parameters(memoryKiB: 1024, iterations: 1, parallelism: 1), threads: 1, maxQueued: 1)

        let outcomes = await withTaskGroup { group in
            for _ in 0..<100 {
                group.addTask { () -> PasswordsError.Code? in
                    do throws(PasswordsError) {
                        try await passwords.verifyAgainstNothing("hunter2")
                        return nil
                    } catch {
                        return error.code
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }

        #expect(outcomes.count == 100)
        #expect(outcomes.contains(nil))
        #expect(outcomes.allSatisfy { $0 == nil || $0 == .busy })
    }
}
