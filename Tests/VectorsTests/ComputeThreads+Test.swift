internal import Dispatch
internal import Testing

@testable internal import Vectors

extension DispatchSemaphore {
    /// Waits for a signal on a thread that may block.
    func signalled() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                self.wait()
                continuation.resume()
            }
        }
    }
}

extension ComputeThreads {
    func waitUntilQueued(_ count: Int) async {
        while queuedCount < count { await Task.yield() }
    }

    /// Keeps one thread and one place in the queue taken meanwhile.
    func withAllTaken(_ body: () async -> Void) async throws {
        let (begun, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        async let running: Void = run { _ in
            begun.signal()
            gate.wait()
        }
        await begun.signalled()
        async let waiting: Void = run { _ in }
        await waitUntilQueued(1)
        await body()
        gate.signal()
        _ = try await (running, waiting)
    }
}
