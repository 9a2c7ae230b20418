/// Holds back those who write while a stream has enough waiting to be sent.
final class WriteGate: @unchecked Sendable {
    // Everything mutable is touched on the executor's event loop alone.
    private let executor: LoopExecutor
    private var waiters: [Waiter] = []
    private var end: RPCError?

    /// A stream with more than this waiting to be sent holds its writers back.
    static let maxPendingBytes = 64 << 10

    private typealias Waiter = LoopWaiter<RPCError?>

    init(executor: LoopExecutor) {
        self.executor = executor
    }

    /// Does `write` on the event loop; when it reports that enough is waiting, returns only after `open`.
    func write(_ write: @escaping @Sendable () -> Outcome) async throws(RPCError) {
        if executor.isCurrent {
            if let end { throw end }
            switch write() {
            case .mayGoOn: return
            case .mustWait: break
            case .ended(let error): throw error
            }
            if let error = await wait({ .mustWait }) { throw error }
        } else if let error = await wait(write) {
            throw error
        }
    }

    enum Outcome: Sendable {
        case mayGoOn
        case mustWait
        case ended(RPCError)
    }

    /// Lets every writer go on.
    func open() {
        let waiters = waiters
        self.waiters = []
        for waiter in waiters { waiter.continuation?.resume(returning: nil) }
    }

    /// Tells every writer, now and later, that the stream is over.
    func close(_ error: RPCError) {
        guard end == nil else { return }
        end = error
        let waiters = waiters
        self.waiters = []
        for waiter in waiters { waiter.continuation?.resume(returning: error) }
    }

    private func wait(_ write: @escaping @Sendable () -> Outcome) async -> RPCError? {
        let waiter = Waiter()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                executor.run {
                    if let end = self.end {
                        continuation.resume(returning: end)
                        return
                    }
                    switch write() {
                    case .mayGoOn:
                        continuation.resume(returning: nil)
                    case .ended(let error):
                        continuation.resume(returning: error)
                    case .mustWait where waiter.isCancelled:
                        continuation.resume(returning: RPCError(.cancelled, "The call was cancelled."))
                    case .mustWait:
                        waiter.continuation = continuation
                        self.waiters.append(waiter)
                    }
                }
            }
        } onCancel: {
            executor.run {
                waiter.isCancelled = true
                guard let index = self.waiters.firstIndex(where: { $0 === waiter }) else { return }
                self.waiters.remove(at: index)
                waiter.continuation?.resume(returning: RPCError(.cancelled, "The call was cancelled."))
            }
        }
    }
}
