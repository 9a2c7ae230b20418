internal import Dispatch
internal import Foundation
internal import Synchronization

/// A few threads that do nothing but hash, behind a queue with a bound.
///
/// Hashing computes for tens of milliseconds on purpose. On Swift's shared threads a burst of logins would stop every
/// other request of the process, so it has threads of its own; and a queue without a bound would only turn a burst
/// into timeouts, so what does not fit is refused at once.
final class HashingThreads: Sendable {
    typealias Job = @Sendable () -> Void

    /// What the threads share; they hold this and not the owner, so that the owner's end is theirs too.
    private final class Queue: Sendable {
        let jobs = Mutex<[Job]>([])
        /// Counts what is to be taken: one for each job, and one more for each thread when the owner is gone.
        let available = DispatchSemaphore(value: 0)

        /// Waits for a job; nil when there will be none any more.
        func take() -> Job? {
            available.wait()
            return jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        }
    }

    private let queue = Queue()
    private let threads: Int
    private let maxQueued: Int

    /// Starts the threads. `maxQueued` jobs may wait beside those that are running.
    init(threads: Int, maxQueued: Int) {
        precondition(threads > 0 && maxQueued > 0, "hashing needs a thread and a place to wait")
        self.threads = threads
        self.maxQueued = maxQueued
        for number in 1...threads {
            let thread = Thread { [queue] in
                while let job = queue.take() { job() }
            }
            thread.name = "passwords-\(number)"
            thread.start()
        }
    }

    /// The threads finish the queue first: whoever waits for a job gets its answer.
    deinit {
        for _ in 0..<threads { queue.available.signal() }
    }

    /// Whether the job was taken on; `false` when the queue is full.
    func offer(_ job: @escaping Job) -> Bool {
        let isTaken = queue.jobs.withLock { jobs in
            guard jobs.count < maxQueued else { return false }
            jobs.append(job)
            return true
        }
        if isTaken { queue.available.signal() }
        return isTaken
    }
}
