internal import NIOCore
internal import NIOPosix

/// Has the files of credentials looked at five times a second, on threads that may block. It ends with the credentials,
/// or when it is stopped.
final class CredentialsWatch: Sendable {
    /// Soon enough for "an authority that is no longer trusted is refused within a second"; a look is three `stat`s.
    private static let interval = TimeAmount.milliseconds(200)

    private let timer: RepeatedTask

    /// `changed` is called on a thread of NIO's pool.
    init(_ credentials: TLSCredentials, changed: @escaping @Sendable (TLSCredentials.Change) -> Void) {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        timer = loop.scheduleRepeatedAsyncTask(
            initialDelay: CredentialsWatch.interval, delay: CredentialsWatch.interval
        ) { [weak credentials] timer in
            guard let credentials else {
                timer.cancel()
                return loop.makeSucceededVoidFuture()
            }
            return NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
                if let change = credentials.refresh() { changed(change) }
            }
        }
    }

    func stop() { timer.cancel() }

    deinit { timer.cancel() }
}
