package import Logging
internal import NIOPosix
internal import Synchronization

/// A client's way to one server. It connects when the first call is made, connects again after a failure, and sends
/// each call on the caller's own event loop when it has a connection there.
///
/// A call made inside a handler ends no later than the handler's deadline. Cancelling a call's task cancels the call.
package final class RPCChannel: Sendable {
    let configuration: RPCChannelConfiguration
    let interceptors: [any ClientInterceptor]
    let compression = RequestCompression()
    private let subchannels: [Subchannel]
    private let watch: CredentialsWatch?
    private let turn = Atomic<Int>(0)
    private let whenClosed = Mutex<[AsyncStream<Void>.Continuation]>([])

    /// Makes no connection yet. TLS files that cannot be used show as UNAVAILABLE in every call.
    package init(
        target: (host: String, port: Int),
        tls: ClientTLS? = nil,
        configuration: RPCChannelConfiguration = .init(),
        interceptors: [any ClientInterceptor] = [],
        logger: Logger
    ) {
        let credentials = tls.map { ($0, TLSCredentials($0, logger: logger)) }
        let path = ClientPath(host: target.host, port: target.port, tls: credentials, configuration: configuration)
        let loops = Array(MultiThreadedEventLoopGroup.singleton.makeIterator())
        self.configuration = configuration
        self.interceptors = interceptors
        let subchannels = (0..<max(1, configuration.connections)).map {
            Subchannel(eventLoop: loops[$0 % loops.count], path: path, logger: logger)
        }
        self.subchannels = subchannels
        watch = credentials.map { credentials in
            CredentialsWatch(credentials.1) { _ in for subchannel in subchannels { subchannel.certificatesChanged() } }
        }
    }

    /// A channel that nobody holds any more closes its connections by itself.
    deinit {
        watch?.stop()
        for subchannel in subchannels { subchannel.abandon() }
    }

    /// Keeps the channel until the task is cancelled or `close` is called. Cancelling lets calls end as `close` does.
    package func run() async {
        let (closed, continuation) = AsyncStream.makeStream(of: Void.self)
        whenClosed.withLock { $0.append(continuation) }
        await withTaskCancellationHandler {
            for await _ in closed {}
        } onCancel: {
            continuation.finish()
        }
        // A cancelled task could not wait for the calls under way, so a task of its own does.
        await Task { await self.close() }.value
    }

    /// Takes no further calls, waits up to `closeTimeout` for those under way, cancels the rest and closes.
    package func close() async {
        whenClosed.withLock { continuations in
            for continuation in continuations { continuation.finish() }
        }
        await withTaskGroup { group in
            group.addTask {
                try? await Task.sleep(for: self.configuration.closeTimeout)  // Cancelled when all calls have ended.
                for subchannel in self.subchannels { subchannel.cancelCalls() }
            }
            await withTaskGroup { inner in
                for subchannel in subchannels { inner.addTask { await subchannel.close() } }
            }
            group.cancelAll()
        }
    }

    /// A task that prefers this executor makes its calls without changing threads: it runs on the event loop of the
    /// channel's first connection, as a handler runs on that of its caller.
    package var taskExecutor: any TaskExecutor { subchannels[0].executor }

    /// The presence on the caller's event loop, or one after the other for callers elsewhere.
    func subchannel() -> Subchannel {
        if subchannels.count == 1 { return subchannels[0] }
        for subchannel in subchannels where subchannel.executor.isCurrent { return subchannel }
        let turn = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        return subchannels[Int(UInt(bitPattern: turn) % UInt(subchannels.count))]
    }
}
