internal import Dispatch
internal import Foundation
internal import Synchronization

/// A few threads that only compute, behind a queue with a bound.
///
/// A search of the graph computes for up to milliseconds and an insertion for about one; on an event loop, or on
/// Swift's shared threads, they would stop every other call of the process.
final class ComputeThreads: Sendable {
    /// Every thread is busy and as many jobs wait as may.
    struct Full: Error {}

    /// Set when nobody waits for the job's answer any more.
    final class Cancellation: Sendable {
        private let flag = Atomic(false)
        var isSet: Bool { flag.load(ordering: .relaxed) }
        fileprivate func set() { flag.store(true, ordering: .relaxed) }
    }

    /// What the threads share; they hold this and not the owner, so that the owner's end is theirs too.
    private final class Queue: Sendable {
        let jobs = Mutex<[@Sendable () -> Void]>([])
        /// Counts what is to be taken: one for each job, and one more for each thread when the owner is gone.
        let available = DispatchSemaphore(value: 0)

        /// Waits for a job; nil when there will be none any more.
        func take() -> (@Sendable () -> Void)? {
            available.wait()
            return jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        }
    }

    private let queue = Queue()
    let count: Int
    private let maxQueued: Int

    /// Starts the threads. `maxQueued` jobs may wait beside those that are running.
    init(name: String, threads: Int, maxQueued: Int) {
        precondition(threads > 0 && maxQueued > 0, "computing needs a thread and a place to wait")
        count = threads
        self.maxQueued = maxQueued
        for number in 1...threads {
            let thread = Thread { [queue] in
                while let job = queue.take() { job() }
            }
            thread.name = "\(name)-\(number)"
            thread.start()
        }
    }

    /// The threads finish the queue first: whoever waits for a job gets its answer.
    deinit {
        for _ in 0..<count { queue.available.signal() }
    }

    /// Jobs that wait for a thread.
    var queuedCount: Int { queue.jobs.withLock { $0.count } }

    /// Runs the computation on one of the threads and waits for it.
    ///
    /// A job whose caller is cancelled while it waits is not begun; one that is running is told by its `Cancellation`.
    ///
    /// - Throws: `Full` at once if the queue is full, `CancellationError`, or what the computation throws.
    func run<Value: Sendable>(_ compute: @escaping @Sendable (Cancellation) throws -> Value) async throws -> Value {
        let cancellation = Cancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isTaken = start {
                    guard !cancellation.isSet else { return continuation.resume(throwing: CancellationError()) }
                    continuation.resume(with: Result { try compute(cancellation) })
                }
                if !isTaken { continuation.resume(throwing: Full()) }
            }
        } onCancel: {
            cancellation.set()
        }
    }

    /// Lets one of the threads do a job that nobody waits for.
    ///
    /// - Returns: `false` if the queue is full; the job is then not done.
    func start(_ job: @escaping @Sendable () -> Void) -> Bool {
        let isTaken = queue.jobs.withLock { jobs in
            guard jobs.count < maxQueued else { return false }
            jobs.append(job)
            return true
        }
        if isTaken { queue.available.signal() }
        return isTaken
    }
}
