internal import Synchronization

/// Lets those who ask for the same at the same time read it once.
///
/// What a caller is told was read after it asked: who comes while a reading is under way waits for the next, which one of those
/// who wait makes for all of them.
final class SharedReading<Value: Sendable>: Sendable {
    private enum Turn: Sendable {
        case reads(for: ArraySlice<CheckedContinuation<Turn, Never>>)
        case isTold(Value?)
    }

    private struct State {
        var isReading = false
        var waiting: [CheckedContinuation<Turn, Never>] = []
    }

    private let state = Mutex(State())

    /// What `read` returns, called by this caller or by another who asked at the same time; `nil` also where that one's call failed or was
    /// cancelled, which says nothing about this caller's.
    func value(_ read: () async throws -> Value?) async -> Value? {
        switch await turn() {
        case .isTold(let value): return value
        case .reads(let others):
            let value = try? await read()
            passOn()
            for other in others { other.resume(returning: .isTold(value)) }
            return value
        }
    }

    /// How many wait for a reading that has not begun.
    var waiterCount: Int { state.withLock { $0.waiting.count } }

    private func turn() async -> Turn {
        await withCheckedContinuation { continuation in
            let isFirst = state.withLock { state in
                if state.isReading { state.waiting.append(continuation) }
                defer { state.isReading = true }
                return !state.isReading
            }
            if isFirst { continuation.resume(returning: .reads(for: [])) }
        }
    }

    private func passOn() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isReading = !state.waiting.isEmpty
            return state.waiting
        }
        waiting.first?.resume(returning: .reads(for: waiting.dropFirst()))
    }
}
