import RPC
import Synchronization
import TestSupport
import Testing
import Time

@testable import Application

/// Answers one time of asking after the other, the last answer again and again, and counts them.
private final class Answers: Sendable {
    private let state: Mutex<(answers: [RPCError?], asked: Int)>

    init(_ answers: RPCError?...) { state = Mutex((answers: answers, asked: 0)) }

    var asked: Int { state.withLock { $0.asked } }

    func next() throws(RPCError) {
        let error: RPCError? = state.withLock { state in
            state.asked += 1
            return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
        }
        if let error { throw error }
    }
}

/// Goes on until it is cancelled.
private final class Handler: Sendable {
    private let state = Mutex((hasBegun: false, isCancelled: false))

    var hasBegun: Bool { state.withLock { $0.hasBegun } }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func goOn() async throws {
        state.withLock { $0.hasBegun = true }
        do { try await Task.sleep(for: .seconds(600)) } catch {
            state.withLock { $0.isCancelled = true }
            throw error
        }
    }
}

@Suite struct `A stream that is watched` {
    private var context: RPCContext {
        RPCContext(
            method: MethodDescriptor(
                service: "heartguard.tests.v1.TestsService", name: "Listen", kind: .serverStreaming, policy: MethodPolicy(access: .user)))
    }

    private let away = RPCError(.unavailable, "Nobody can be asked.")

    private func watch(pause: Duration = .milliseconds(2), patience: Duration = .seconds(600)) -> StreamWatch {
        StreamWatch(pause: pause, patience: patience)
    }

    @Test func `ends with the answer that its caller is not let in any more, and takes its handler along`() async {
        let (answers, handler) = (Answers(nil, nil, RPCError(.permissionDenied, "No more.")), Handler())

        let error = await #expect(throws: RPCError.self) {
            try await watch().go(context, admit: { () async throws(RPCError) in try answers.next() }) { _ in try await handler.goOn() }
        }

        #expect(error?.code == .permissionDenied && error?.message == "No more.")
        #expect(handler.isCancelled)
        #expect(answers.asked == 3)
    }

    @Test func `goes on while nobody can be asked for a moment`() async throws {
        let answers = Answers(away, away, nil, away, nil)

        try await watch().go(context, admit: { () async throws(RPCError) in try answers.next() }) { _ in
            try await until { answers.asked >= 8 }
        }
    }

    @Test func `ends when nobody could be asked for too long`() async {
        let (answers, handler) = (Answers(away), Handler())

        let error = await #expect(throws: RPCError.self) {
            try await watch(patience: .milliseconds(20)).go(context, admit: { () async throws(RPCError) in try answers.next() }) { _ in
                try await handler.goOn()
            }
        }

        #expect(error?.code == .unavailable)
        #expect(handler.isCancelled)
    }

    @Test func `asks for no longer than it has patience`() async {
        let left = Mutex<Duration?>(nil)
        let patience = Duration.seconds(7)

        await #expect(throws: RPCError.self) {
            try await watch(patience: patience).go(
                context,
                admit: { () async throws(RPCError) in
                    left.withLock { $0 = Deadline.current?.remaining }
                    throw RPCError(.unauthenticated, "Over.")
                }
            ) { _ in try await Task.sleep(for: .seconds(600)) }
        }

        let remaining = left.withLock { $0 }
        #expect(remaining.map { $0 <= patience } == true)
    }

    @Test func `ends when its handler does, as it does, and waits for no answer`() async throws {
        let isAsked = Atomic(false)
        let admit: @Sendable () async throws(RPCError) -> Void = { () async throws(RPCError) in
            isAsked.store(true, ordering: .relaxed)
            do { try await Task.sleep(for: .seconds(600)) } catch { throw RPCError(.cancelled, "The call was cancelled.") }
        }

        try await watch().go(context, admit: admit) { _ in try await until { isAsked.load(ordering: .relaxed) } }
        let error = await #expect(throws: RPCError.self) {
            try await watch().go(context, admit: admit) { _ in throw RPCError(.notFound, "Nothing.") }
        }

        #expect(error?.code == .notFound)
    }

    @Test func `is over when its caller has gone`() async throws {
        let (answers, handler) = (Answers(nil), Handler())
        let call = Task { [watch = watch(), context = self.context] in
            try await watch.go(context, admit: { () async throws(RPCError) in try answers.next() }) { _ in try await handler.goOn() }
        }
        try await until { handler.hasBegun }

        call.cancel()

        await #expect(throws: (any Error).self) { try await call.value }
        #expect(handler.isCancelled)
    }
}
