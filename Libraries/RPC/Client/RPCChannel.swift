package import Logging
internal import NIOPosix
internal import Synchronization
internal import Time

/// A client's way to one or several servers that answer the same calls. It connects when the first call is made,
/// connects again after a failure, and sends each call on the caller's own event loop when it has a connection there.
///
/// A call made inside a handler ends no later than the handler's deadline. Cancelling a call's task cancels the call.
package final class RPCChannel: Sendable {
    let configuration: RPCChannelConfiguration
    let interceptors: [any ClientInterceptor]
    let compression = RequestCompression()
    let plans: CallPlans?
    let throttle: SharedThrottle?
    let retryBuffer: RetryBuffer
    let lanes: [ChannelLane]
    private let view: ChannelzView
    private let resolver: NameResolver?
    private let watch: CredentialsWatch?
    private let turn = Atomic<Int>(0)
    /// Who waits for the end; `nil` once `close` was called.
    private let whenClosed = Mutex<[AsyncStream<Void>.Continuation]?>([])

    /// Makes no connection yet. TLS files that cannot be used show as UNAVAILABLE in every call.
    package convenience init(
        target: (host: String, port: Int),
        tls: ClientTLS? = nil,
        configuration: RPCChannelConfiguration = .init(),
        interceptors: [any ClientInterceptor] = [],
        logger: Logger
    ) {
        let name = RPCTarget.name(RPCAddress(host: target.host, port: target.port))
        self.init(target: name, tls: tls, configuration: configuration, interceptors: interceptors, logger: logger)
    }

    /// Makes no connection yet. A list of addresses must not be empty; each server is known by its own.
    package init(
        target: RPCTarget,
        tls: ClientTLS? = nil,
        configuration: RPCChannelConfiguration = .init(),
        interceptors: [any ClientInterceptor] = [],
        logger: Logger
    ) {
        self.configuration = configuration
        self.interceptors = interceptors
        plans = configuration.serviceConfig.flatMap { $0.methods.isEmpty ? nil : CallPlans($0) }
        throttle = configuration.serviceConfig?.retryThrottling.map(SharedThrottle.init)

        retryBuffer = RetryBuffer(limit: configuration.maxChannelRetryBufferBytes)
        let balancing = configuration.serviceConfig?.loadBalancing ?? target.defaultBalancing
        let name = target.authority
        let credentials = tls.map { ($0, TLSCredentials($0, logger: logger)) }
        let path = ClientPath(host: name.host, port: name.port, tls: credentials, configuration: configuration)
        let addresses = target.addresses
        let resolver = addresses == nil ? NameResolver(name: name, configuration: configuration) : nil
        let paths: @Sendable (RPCAddress) -> ClientPath =
            switch target {
            case .name: { path.leading(to: $0) }
            case .addresses: { path.leading(toServer: $0) }
            }
        let loops = Array(MultiThreadedEventLoopGroup.singleton.makeIterator())
        let lanes = (0..<max(1, configuration.connections)).map {
            ChannelLane(
                eventLoop: loops[$0 % loops.count], paths: paths, addresses: addresses ?? [], balancing: balancing,
                resolver: resolver, attemptDelay: configuration.attemptDelay, maxWaitingCalls: configuration.maxWaitingCalls,
                logger: logger)
        }
        self.lanes = lanes
        self.resolver = resolver
        view = ChannelzView(targetName: "\(name)", lanes: lanes)
        watch = credentials.map { credentials in
            CredentialsWatch(credentials.1) { _ in for lane in lanes { lane.certificatesChanged() } }
        }
        resolver?.onResult { result in
            for lane in lanes { lane.executor.run { lane.resolved(result) } }
        }
        ChannelzRegistry.process.enter(view)
    }

    /// A channel that nobody holds any more closes its connections by itself.
    deinit {
        watch?.stop()
        resolver?.stop()
        ChannelzRegistry.process.leave(channel: channelzID)
        for lane in lanes { lane.abandon() }
    }

    /// Keeps the channel until the task is cancelled or `close` is called. Cancelling lets calls end as `close` does.
    package func run() async {
        let (closed, continuation) = AsyncStream.makeStream(of: Void.self)
        let isClosed = whenClosed.withLock { waiting in
            waiting?.append(continuation)
            return waiting == nil
        }
        if isClosed { continuation.finish() }
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
        for continuation in whenClosed.withLock({ $0.take() }) ?? [] { continuation.finish() }
        await withTaskGroup { group in
            group.addTask {
                try? await Task.sleep(for: self.configuration.closeTimeout)  // Cancelled when all calls have ended.
                for lane in self.lanes { lane.cancelCalls() }
            }
            await withTaskGroup { inner in
                for lane in lanes { inner.addTask { await lane.close() } }
            }
            group.cancelAll()
        }
    }

    /// What channelz calls it.
    package var channelzID: Int64 { view.channelzID }

    /// A task that prefers this executor makes its calls without changing threads: it runs on the event loop of the
    /// channel's first connection, as a handler runs on that of its caller.
    package var taskExecutor: any TaskExecutor { lanes[0].executor }

    /// How far the channel is from being able to send calls, seen from one of its event loops.
    package func state() async -> ConnectivityState {
        await withCheckedContinuation { continuation in
            let lane = lane()
            lane.executor.run { continuation.resume(returning: lane.state) }
        }
    }

    /// The presence on the caller's event loop, or one after the other for callers elsewhere.
    func lane() -> ChannelLane {
        if lanes.count == 1 { return lanes[0] }
        for lane in lanes where lane.executor.isCurrent { return lane }
        let turn = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        return lanes[Int(UInt(bitPattern: turn) % UInt(lanes.count))]
    }
}
