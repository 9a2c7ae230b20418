internal import Logging
internal import NIOCore
internal import Time

/// The part of a channel that lives on one event loop: a subchannel for every address, and the calls that wait for one
/// of them. Each lane shares its calls out by itself, so no call takes a lock or leaves its loop.
final class ChannelLane: @unchecked Sendable {
    // Everything mutable is touched on the event loop alone.
    let executor: LoopExecutor
    private let paths: @Sendable (RPCAddress) -> ClientPath
    private let logger: Logger
    private let resolver: NameResolver?
    private var subchannels: [Subchannel] = []
    private var leaving: [ObjectIdentifier: Subchannel] = [:]
    /// Calls of subchannels that are gone.
    private(set) var endedCalls = CallCounts()
    private var balancer: Balancer
    private var detector: OutlierDetector?
    private let maxWaitingCalls: Int
    private let sweepInterval: Duration
    private var sweepTimer: Scheduled<Void>?
    /// Whether calls are counted at each address.
    private let countsCalls: Bool
    /// The only connection there may be, while it takes calls: then there is nothing to choose.
    private var only: ClientConnection?
    private var unresolved: String?
    private var waiting: [ClientCall] = []
    private let timer: DeadlineTimer
    private var isClosed = false
    private var whenEmpty: [CheckedContinuation<Void, Never>] = []

    init(
        eventLoop: any EventLoop,
        paths: @escaping @Sendable (RPCAddress) -> ClientPath,
        addresses: [RPCAddress],
        balancing: LoadBalancing,
        resolver: NameResolver?,
        maxWaitingCalls: Int,
        logger: Logger
    ) {
        self.executor = LoopExecutor.of(eventLoop)
        self.paths = paths
        self.logger = logger
        self.resolver = resolver
        self.maxWaitingCalls = maxWaitingCalls
        balancer = Balancer(balancing.policy, addresses: addresses)
        detector = balancing.outlierDetection.map(OutlierDetector.init)
        sweepInterval = balancing.outlierDetection?.interval ?? .zero
        if case .leastRequests = balancing.policy { countsCalls = true } else { countsCalls = detector != nil }
        timer = DeadlineTimer(eventLoop: eventLoop)
        detector?.update(balancer.endpoints.map(\.address))
        subchannels = balancer.endpoints.enumerated().map { makeSubchannel($0.element.address, $0.offset) }
    }

    private func makeSubchannel(_ address: RPCAddress, _ index: Int) -> Subchannel {
        Subchannel(lane: self, path: paths(address), index: index, countsCalls: countsCalls, logger: logger)
    }

    // MARK: Calls

    /// Sends the call now, or when there is a connection for it.
    func start(_ call: ClientCall) {
        if let deadline = call.context.deadline, deadline.hasPassed {
            call.end(.failure(.deadlinePassed), reset: false)
            return
        }
        if let only {
            only.start(call)
            return
        }
        if isClosed {
            call.end(.failure(RPCError(.unavailable, "The channel is closed.")), reset: false)
            return
        }
        choose(call)
    }

    private func choose(_ call: ClientCall) {
        var generator = SystemRandomNumberGenerator()
        let pick = balancer.pick(avoiding: call.tried, using: &generator)
        if case .use(let index) = pick { subchannels[index].start(call) } else { hold(call, pick) }
        connectWanted()
        planSweep()
    }

    private func hold(_ call: ClientCall, _ pick: Balancer.Pick) {
        if balancer.endpoints.isEmpty { resolver?.lookUp() }
        var reason = unresolved
        if case .fail(let why) = pick { reason = why }
        if let reason, !call.context.waitForReady {
            call.end(.failure(.unreachable(reason)), reset: false)
            return
        }
        guard waiting.count < maxWaitingCalls else {
            call.end(.failure(RPCError(.resourceExhausted, "Too many calls wait for a connection.")), reset: false)
            return
        }
        waiting.append(call)
        if let deadline = call.context.deadline { timer.watch(deadline) { self.endLateCalls() } }
    }

    private func endLateCalls() -> Deadline? {
        var next: Deadline?
        let calls = waiting
        waiting = []
        for call in calls where !call.isEnded {
            if let deadline = call.context.deadline {
                if deadline.hasPassed {
                    call.end(.failure(.deadlinePassed), reset: false)
                    continue
                }
                next = Deadline.earlier(next, deadline)
            }
            waiting.append(call)
        }
        return next
    }

    private func startWaiting() {
        let calls = waiting
        waiting = []
        timer.stop()
        for call in calls where !call.isEnded { start(call) }
    }

    private func failImpatient(_ reason: String) {
        let calls = waiting
        waiting = []
        for call in calls where !call.isEnded {
            if call.context.waitForReady {
                waiting.append(call)
            } else {
                call.end(.failure(.unreachable(reason)), reset: false)
            }
        }
    }

    // MARK: What subchannels report

    func changed(_ subchannel: Subchannel, to state: ConnectivityState) {
        guard !isClosed, let index = subchannel.index else { return }
        balancer.changed(index, to: state)
        only = subchannels.count == 1 && !countsCalls && resolver == nil ? subchannel.ready : nil
        switch state {
        case .ready:
            startWaiting()
        case .transientFailure:
            resolver?.lookUp()
            if case .transientFailure(let reason) = balancer.state { failImpatient(reason) }
        case .idle, .connecting, .shutdown: break
        }
        waiting.removeAll { $0.isEnded }
        if !waiting.isEmpty { connectWanted() }
    }

    /// The connection was there and is not any more.
    func lostConnection() {
        resolver?.lookUp()
    }

    func callBegan(_ subchannel: Subchannel) {
        if let index = subchannel.index { balancer.callBegan(index) }
    }

    /// `result` is `nil` when no server began the call.
    func callEnded(_ subchannel: Subchannel, _ result: Result<Void, RPCError>?) {
        if let index = subchannel.index { balancer.callEnded(index) }
        guard let result else { return }
        // A caller that has lost interest says nothing about the server.
        if let error = result.failure, error.code == .cancelled { return }
        let isBlamed = result.failure.map { OutlierDetector.blames($0.code) } ?? false
        detector?.callEnded(at: subchannel.address, succeeded: !isBlamed)
    }

    func connectionsEnded(_ subchannel: Subchannel) {
        forget(subchannel)
        reportIfEmpty()
    }

    /// A subchannel that was leaving has no connections any more.
    private func forget(_ subchannel: Subchannel) {
        guard leaving.removeValue(forKey: ObjectIdentifier(subchannel)) != nil else { return }
        endedCalls = endedCalls + subchannel.endedCalls
    }

    private func connectWanted() {
        guard !balancer.wanted.isEmpty else { return }
        for index in balancer.wanted { subchannels[index].connect() }
    }

    // MARK: Addresses

    /// The name was looked up.
    func resolved(_ result: Result<[RPCAddress], NameResolver.Failure>) {
        guard !isClosed else { return }
        switch result {
        case .success(let addresses):
            unresolved = nil
            replaceSubchannels(addresses)
            startWaiting()
        case .failure(let failure):
            logger.debug("name not resolved", metadata: ["reason": "\(failure.reason)"])
            // Addresses that were once found may still be good.
            guard balancer.endpoints.isEmpty else { return }
            unresolved = failure.reason
            failImpatient(failure.reason)
            if !waiting.isEmpty { resolver?.lookUp() }
        }
    }

    private func replaceSubchannels(_ addresses: [RPCAddress]) {
        let old = subchannels
        balancer.update(addresses)
        detector?.update(balancer.endpoints.map(\.address))
        subchannels = balancer.endpoints.enumerated().map { index, endpoint in
            guard let known = old.first(where: { $0.address == endpoint.address }) else {
                return makeSubchannel(endpoint.address, index)
            }
            known.index = index
            return known
        }
        for subchannel in old where !subchannels.contains(where: { $0 === subchannel }) {
            subchannel.index = nil
            leaving[ObjectIdentifier(subchannel)] = subchannel
            subchannel.stopTakingCalls()
            if !subchannel.hasConnections { forget(subchannel) }
        }
    }

    // MARK: Outliers

    /// Looks at the calls of an interval after its first call; an idle channel sets no timer.
    private func planSweep() {
        guard detector != nil, sweepTimer == nil else { return }
        sweepTimer = executor.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(sweepInterval)) { self.sweep() }
    }

    private func sweep() {
        sweepTimer = nil
        guard !isClosed, let ejected = detector?.sweep(now: .now, chance: { Int.random(in: 0...99) }) else { return }
        for (index, endpoint) in balancer.endpoints.enumerated() {
            let isEjected = ejected.contains(endpoint.address)
            guard isEjected != endpoint.isEjected else { continue }
            balancer.ejected(index, isEjected)
            let event = isEjected ? "address left out, its calls fail" : "address used again"
            logger.notice("\(event)", metadata: ["address": "\(endpoint.address)"])
        }
        // Somebody has to end an ejection.
        if !ejected.isEmpty { planSweep() }
    }

    /// The channel trusts others or shows itself differently from now on.
    func certificatesChanged() {
        executor.run {
            for subchannel in self.everySubchannel { subchannel.certificatesChanged() }
        }
    }

    /// Every subchannel that there is, those that only finish their calls last.
    var everySubchannel: [Subchannel] { subchannels + leaving.values }

    // MARK: The end

    var state: ConnectivityState { isClosed ? .shutdown : balancer.state }

    /// Takes no further calls, and returns when those under way have ended.
    func close() async {
        await withCheckedContinuation { continuation in
            executor.run {
                self.whenEmpty.append(continuation)
                self.stopTakingCalls()
            }
        }
    }

    /// Takes no further calls; connections close when those under way have ended.
    func abandon() {
        executor.run { self.stopTakingCalls() }
    }

    private func stopTakingCalls() {
        if !isClosed {
            isClosed = true
            only = nil
            timer.stop()
            sweepTimer?.cancel()
            sweepTimer = nil
            let calls = waiting
            waiting = []
            for call in calls { call.end(.failure(RPCError(.unavailable, "The channel is closed.")), reset: false) }
            for subchannel in subchannels {
                leaving[ObjectIdentifier(subchannel)] = subchannel
                subchannel.stopTakingCalls()
            }
            subchannels = []
            for subchannel in leaving.values where !subchannel.hasConnections { forget(subchannel) }
        }
        reportIfEmpty()
    }

    private func reportIfEmpty() {
        guard isClosed, leaving.isEmpty else { return }
        for continuation in whenEmpty { continuation.resume() }
        whenEmpty = []
    }

    /// Ends the calls under way.
    func cancelCalls() {
        executor.run {
            for subchannel in self.everySubchannel { subchannel.cancelCalls() }
        }
    }
}

extension RPCError {
    static func unreachable(_ reason: String) -> RPCError {
        RPCError(.unavailable, "The server cannot be reached: \(reason)")
    }
}
