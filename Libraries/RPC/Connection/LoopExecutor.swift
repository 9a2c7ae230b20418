internal import HTTP2
package import NIOCore
internal import Synchronization
internal import Time

/// Runs the tasks of calls on the event loop of their connection, in batches: what became ready while bytes were read
/// runs when the read is complete, and what it wrote on any connection of the loop is flushed once behind it.
@safe
final class LoopExecutor: TaskExecutor, @unchecked Sendable {
    let eventLoop: any EventLoop
    /// What was made ready on other threads since the loop has last looked.
    private let arrived = Mutex<[UnownedJob]>([])
    // Everything mutable is touched on the event loop alone.
    private var ready: [UnownedJob] = []
    private var dirty: [HTTP2Connection] = []
    private var isScheduled = false
    private var isDraining = false
    /// What the connections of the loop gather their frames in, one after the other.
    private var output = ByteBuffer()
    /// What the sessions of the loop write their events down in, while none of them does.
    private var batches: [HTTP2Batch] = []
    private var time: Instant?

    private init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// A loop with nothing but tasks to run still looks at its sockets after so many.
    private static let jobsPerDrain = 4_096

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if eventLoop.inEventLoop {
            ready.append(job)
            return schedule()
        }
        let isFirst = arrived.withLock { arrived in
            arrived.append(job)
            return arrived.count == 1
        }
        if isFirst { eventLoop.execute { self.takeArrived() } }
    }

    private func takeArrived() {
        ready += arrived.withLock { arrived in
            defer { arrived.removeAll() }
            return arrived
        }
        drain()
    }

    var isCurrent: Bool { eventLoop.inEventLoop }

    /// Runs the work on the loop: at once when already there, otherwise soon.
    func run(_ work: @escaping @Sendable () -> Void) {
        if eventLoop.inEventLoop {
            work()
        } else {
            eventLoop.execute(work)
        }
    }

    /// Has the connection flushed at the end of this batch.
    func flushLater(_ connection: HTTP2Connection) {
        dirty.append(connection)
        schedule()
    }

    /// Lends an empty buffer, and returns what was written into it. The memory is used again as soon as nobody holds it.
    func withOutput<Failure>(
        capacity: Int,
        _ fill: (inout ByteBuffer) throws(Failure) -> Void
    ) throws(Failure) -> ByteBuffer {
        output.clear(minimumCapacity: capacity)
        try fill(&output)
        // What is small leaves in memory of its own size, so that peers that take nothing do not hold large buffers.
        return output.readableBytes <= 1_024 ? ByteBuffer(copying: output) : output
    }

    func takeBatch() -> HTTP2Batch { batches.popLast() ?? HTTP2Batch() }

    /// Keeps a batch for the next session that needs one. More than a few are never out at a time.
    func giveBack(_ batch: HTTP2Batch) {
        if batches.count < 4 { batches.append(batch) }
    }

    /// The world's clock as it stood when it was first asked for in this batch, which is near enough for what is only told.
    var batchTime: Instant {
        if let time { return time }
        let now = Instant.now()
        time = now
        return now
    }

    /// Runs what is ready, then flushes what it wrote.
    func drain() {
        guard !isDraining else { return }
        isDraining = true
        var count = 0
        while !ready.isEmpty || !dirty.isEmpty {
            while !ready.isEmpty, count < LoopExecutor.jobsPerDrain {
                let jobs = ready
                ready = []
                count += jobs.count
                for job in jobs { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
            }
            let connections = dirty
            dirty.removeAll(keepingCapacity: true)
            for connection in connections { connection.flush() }
            if count >= LoopExecutor.jobsPerDrain { break }
        }
        isDraining = false
        time = nil
        if !ready.isEmpty || !dirty.isEmpty { schedule() }
    }

    private func schedule() {
        guard !isScheduled, !isDraining else { return }
        isScheduled = true
        eventLoop.execute {
            self.isScheduled = false
            self.drain()
        }
    }
}

extension LoopExecutor {
    private static let executors = Mutex<[ObjectIdentifier: LoopExecutor]>([:])

    /// The one executor of an event loop. It is kept as long as the process runs, for there are as many as threads; and
    /// since it keeps its loop, the identifier cannot come to mean another.
    static func of(_ eventLoop: any EventLoop) -> LoopExecutor {
        executors.withLock { executors in
            let key = ObjectIdentifier(eventLoop)
            if let executor = executors[key] { return executor }
            let executor = LoopExecutor(eventLoop: eventLoop)
            executors[key] = executor
            return executor
        }
    }
}

extension EventLoop {
    /// Runs tasks on the loop. Calls that they make by channels with a connection on it change no thread, and what they write is flushed together.
    package var callExecutor: any TaskExecutor { LoopExecutor.of(self) }
}

extension ByteBuffer {
    fileprivate init(copying other: ByteBuffer) {
        self.init(bytes: other.readableBytesView)
    }
}
