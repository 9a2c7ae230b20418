internal import NIOCore
internal import NIOPosix

/// Runs tasks on an event loop, as the services run the handlers of calls.
package final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    private init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// One for each event loop of the process.
    package static let all = MultiThreadedEventLoopGroup.singleton.makeIterator().map(EventLoopExecutor.init)

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
