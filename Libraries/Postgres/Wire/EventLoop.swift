internal import CEpoll
internal import Synchronization
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A thread that waits for the sockets of open connections, by epoll. The process has one for each core, up to four, for all its
/// databases.
///
/// A connection is sent to on its caller's thread; only its answers come by here, many to a turn under load, so a busy client
/// costs no switch between threads for each. It is also an executor: a task that prefers it resumes on the thread that read
/// its answer. What runs here must not block, and must not compute for long.
@safe
final class EventLoop: TaskExecutor, @unchecked Sendable {
    /// They end with the process.
    private static let all = (0..<min(4, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))).map { _ in EventLoop() }
    private static let turn = Atomic<Int>(0)

    /// One after the other.
    static var next: EventLoop { all[turn.wrappingAdd(1, ordering: .relaxed).oldValue % all.count] }

    /// The loop on whose thread this is asked.
    static var current: EventLoop? {
        let thread = pthread_self()
        return all.first { $0.thread.load(ordering: .relaxed) == thread }
    }

    typealias Handler = @Sendable () -> Void

    private struct Shared {
        var ready: [UnownedJob] = []
        var isWaiting = false
        var watches: [UInt64: Watch] = [:]
        var lastToken = EventLoop.wakeToken
    }

    private static let wakeToken: UInt64 = 0
    private static let eventsPerTurn = 64
    private let epoll: Int32
    private let wakeUp: Int32
    private let shared = Mutex(Shared())
    /// Known from the moment at which the thread runs anything.
    private let thread = Atomic<pthread_t>(0)

    private init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeUp = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(epoll >= 0 && wakeUp >= 0, "the process has descriptors left when its first connection is opened")
        control(EPOLL_CTL_ADD, wakeUp, token: EventLoop.wakeToken, reads: true, writes: false)
        startThread()
    }

    private func startThread() {
        var id = pthread_t()
        let unmanaged = unsafe Unmanaged.passRetained(self).toOpaque()
        let failure = unsafe pthread_create(&id, nil, { argument in
            guard let argument = unsafe argument else { return nil }
            unsafe Unmanaged<EventLoop>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, unmanaged)
        precondition(failure == 0, "the process may have one more thread")
    }

    // MARK: Sockets

    struct Watch {
        let onReadable: Handler
        let onWritable: Handler
    }

    /// Calls the handlers on the loop's thread. Returns the name by which the descriptor is known from now on.
    func add(_ descriptor: Int32, _ watch: Watch, reads: Bool, writes: Bool) -> UInt64 {
        let token = shared.withLock { shared in
            shared.lastToken += 1
            shared.watches[shared.lastToken] = watch
            return shared.lastToken
        }
        control(EPOLL_CTL_ADD, descriptor, token: token, reads: reads, writes: writes)
        return token
    }

    func watch(_ descriptor: Int32, _ token: UInt64, reads: Bool, writes: Bool) {
        control(EPOLL_CTL_MOD, descriptor, token: token, reads: reads, writes: writes)
    }

    /// No handler is begun afterwards.
    func remove(_ descriptor: Int32, _ token: UInt64) {
        control(EPOLL_CTL_DEL, descriptor, token: token, reads: false, writes: false)
        shared.withLock { _ = $0.watches.removeValue(forKey: token) }
    }

    private func control(_ operation: Int32, _ descriptor: Int32, token: UInt64, reads: Bool, writes: Bool) {
        var event = unsafe epoll_event()
        unsafe event.events = (reads ? EPOLLIN.rawValue : 0) | (writes ? EPOLLOUT.rawValue : 0)
        unsafe event.data.u64 = token
        // It fails only for a descriptor that is not open or not known (epoll_ctl(2)), which its owner rules out, or for want of
        // kernel memory; then the exchange ends at its deadline as one whose answer never comes.
        _ = unsafe epoll_ctl(epoll, operation, descriptor, &event)
    }

    // MARK: Tasks

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = shared.withLock { shared in
            shared.ready.append(job)
            defer { shared.isWaiting = false }
            return shared.isWaiting
        }
        if mustWake { eventfd_write(wakeUp, 1) }
    }

    // MARK: The thread

    private func run() {
        thread.store(pthread_self(), ordering: .relaxed)
        var jobs: [UnownedJob] = []
        var events = unsafe [epoll_event](repeating: epoll_event(), count: EventLoop.eventsPerTurn)
        while true {
            let isIdle = runReady(&jobs, beforeWaiting: true)
            let count = unsafe events.withUnsafeMutableBufferPointer { buffer in
                unsafe epoll_wait(epoll, buffer.baseAddress, Int32(buffer.count), isIdle ? -1 : 0)
            }
            if isIdle { shared.withLock { $0.isWaiting = false } }
            // A signal interrupts the wait, which then begins anew.
            for index in 0..<max(0, Int(count)) {
                unsafe handle(token: events[index].data.u64, events: events[index].events)
                // Who has his answer goes on at once: were all answers read first, the server would have nothing to do meanwhile.
                _ = runReady(&jobs, beforeWaiting: false)
            }
        }
    }

    /// Runs what is ready now, but not what becomes so meanwhile. `true` if that was nothing.
    /// `jobs` is empty room, which is passed so that the two buffers change places instead of being made anew.
    private func runReady(_ jobs: inout [UnownedJob], beforeWaiting: Bool) -> Bool {
        shared.withLock { shared in
            swap(&shared.ready, &jobs)
            shared.isWaiting = beforeWaiting && jobs.isEmpty
        }
        defer { jobs.removeAll(keepingCapacity: true) }
        for job in jobs { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
        return jobs.isEmpty
    }

    private func handle(token: UInt64, events: UInt32) {
        guard token != EventLoop.wakeToken else {
            var count: UInt64 = 0
            _ = unsafe eventfd_read(wakeUp, &count)
            return
        }
        guard let watch = shared.withLock({ $0.watches[token] }) else { return }
        if events & EPOLLOUT.rawValue != 0 { watch.onWritable() }
        // What else may be reported, an error or the peer's end, shows when the socket is read.
        if events & ~EPOLLOUT.rawValue != 0 { watch.onReadable() }
    }
}

/// One socket's place in the loop.
///
/// It watches a duplicate of the descriptor. libpq closes its own whenever it likes, and the number may then belong to
/// another socket; the duplicate is closed only after the loop has forgotten it.
final class LoopWatcher {
    private var loop: EventLoop
    private let descriptor: Int32
    private let watch: EventLoop.Watch
    private var token: UInt64
    private var readsAreWatched = false
    private var writesAreWatched = false

    /// `nil` if the process has no descriptor left. Watches nothing until it is told to.
    init?(_ socket: Int32, on loop: EventLoop, onReadable: @escaping EventLoop.Handler, onWritable: @escaping EventLoop.Handler) {
        descriptor = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        self.loop = loop
        watch = EventLoop.Watch(onReadable: onReadable, onWritable: onWritable)
        token = loop.add(descriptor, watch, reads: false, writes: false)
    }

    func watchReads(_ isWanted: Bool) {
        guard isWanted != readsAreWatched else { return }
        readsAreWatched = isWanted
        loop.watch(descriptor, token, reads: readsAreWatched, writes: writesAreWatched)
    }

    func watchWrites(_ isWanted: Bool) {
        guard isWanted != writesAreWatched else { return }
        writesAreWatched = isWanted
        loop.watch(descriptor, token, reads: readsAreWatched, writes: writesAreWatched)
    }

    /// Moves to the loop on whose thread this is called, if it is one: the caller's task is to resume there.
    func followCaller() {
        guard let current = EventLoop.current, current !== loop else { return }
        loop.remove(descriptor, token)
        loop = current
        token = loop.add(descriptor, watch, reads: readsAreWatched, writes: writesAreWatched)
    }

    deinit {
        loop.remove(descriptor, token)
        close(descriptor)
    }
}
