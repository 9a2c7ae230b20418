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
    private let attemptDelay: TimeAmount
    private var subchannels: [Subchannel] = []
    private var leaving: [ObjectIdentifier: Subchannel] = [:]
    /// Calls of subchannels that are gone.
    private(set) var endedCalls = CallCounts()
    /// What happened to this part of the channel.
    private(set) var trace = ChannelzTrace()
    private var balancer: Balancer
    private var detector: OutlierDetector?
    private let sweepInterval: Duration
    private var sweepTimer: Scheduled<Void>?
    private var passingTimer: Scheduled<Void>?
    /// Whether calls are counted at each address.
    private let countsCalls: Bool
    /// The only connection there may be, while it takes calls: then there is nothing to choose.
    private var only: ClientConnection?
    private var unresolved: String?
    private let waiting: WaitingCalls
    private var isClosed = false
    private var whenEmpty: [CheckedContinuation<Void, Never>] = []

    init(
        eventLoop: any EventLoop,
        paths: @escaping @Sendable (RPCAddress) -> ClientPath,
        addresses: [RPCAddress],
        balancing: LoadBalancing,
        resolver: NameResolver?,
        attemptDelay: Duration,
        maxWaitingCalls: Int,
        logger: Logger
    ) {
        self.executor = LoopExecutor.of(eventLoop)
        self.paths = paths
        self.logger = logger
        self.resolver = resolver
        self.attemptDelay = TimeAmount(attemptDelay)
        waiting = WaitingCalls(limit: maxWaitingCalls, eventLoop: eventLoop)
        balancer = Balancer(balancing.policy, addresses: addresses)
        detector = balancing.outlierDetection.map(OutlierDetector.init)
        sweepInterval = balancing.outlierDetection?.interval ?? .zero
        if case .leastRequests = balancing.policy { countsCalls = true } else { countsCalls = detector != nil }
        detector?.update(balancer.endpoints.map(\.address))
        subchannels = balancer.endpoints.enumerated().map { makeSubchannel($0.element.address, $0.offset) }
    }

    private func makeSubchannel(_ address: RPCAddress, _ index: Int) -> Subchannel {
        let subchannel = Subchannel(
            lane: self, path: paths(address), index: index, countsCalls: countsCalls, logger: logger)
        trace.note("An address came.", about: subchannel.reference)
        return subchannel
    }

    // MARK: Calls

    /// Sends the call now, or when there is a connection for it.
    func start(_ call: ClientCall) {
        if let deadline = call.context.deadline, deadline.hasPassed {
            call.end(.failure(.deadlinePassedUnsent), reset: false)
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
        waiting.append(call)
    }

    private func startWaiting() {
        for call in waiting.takeAll() { start(call) }
    }

    // MARK: What subchannels report

    func changed(_ subchannel: Subchannel, to state: ConnectivityState) {
        guard !isClosed, let index = subchannel.index else { return }
        let before = balancer.state
        balancer.changed(index, to: state)
        if balancer.state != before { trace.note(balancer.state) }
        findOnly()
        switch state {
        case .ready:
            if balancer.isSpare(index) {
                subchannel.letGo()
                return
            }
            startWaiting()
        case .connecting:
            planPassingOver()
        case .transientFailure:
            resolver?.lookUp()
            if case .transientFailure(let reason) = balancer.state { waiting.failImpatient(.unreachable(reason)) }
        case .idle, .shutdown: break
        }
        waiting.dropEnded()
        if !waiting.isEmpty { connectWanted() }
    }

    private func findOnly() {
        only = countsCalls ? nil : balancer.sole.flatMap { subchannels[$0].ready }
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

    private func planPassingOver() {
        guard balancer.isSeeking, passingTimer == nil else { return }
        passingTimer = executor.eventLoop.assumeIsolated().scheduleTask(in: attemptDelay) { self.passOver() }
    }

    private func passOver() {
        passingTimer = nil
        guard !isClosed else { return }
        balancer.passOver()
        connectWanted()
        planPassingOver()
    }

    // MARK: Addresses

    /// The name was looked up.
    func resolved(_ result: Result<[RPCAddress], LookupFailure>) {
        guard !isClosed else { return }
        switch result {
        case .success(let addresses):
            unresolved = nil
            replaceSubchannels(addresses)
            startWaiting()
        case .failure(let failure):
            trace.note("The name was not resolved: \(failure.reason)", .warning)
            logger.debug("name not resolved", metadata: ["reason": "\(failure.reason)"])
            // Addresses that were once found may still be good.
            guard balancer.endpoints.isEmpty else { return }
            unresolved = failure.reason
            waiting.failImpatient(.unreachable(failure.reason))
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
        findOnly()
        for subchannel in old where !subchannels.contains(where: { $0 === subchannel }) {
            subchannel.index = nil
            trace.note("An address went.", about: subchannel.reference)
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
            let described = isEjected ? "An address is left out, for its calls fail." : "An address is used again."
            trace.note(described, isEjected ? .warning : .info, about: subchannels[index].reference)
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

    var state: ConnectivityState {
        if isClosed { return .shutdown }
        return unresolved.map { ConnectivityState.transientFailure(reason: $0) } ?? balancer.state
    }

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
            trace.note(.shutdown)
            only = nil
            sweepTimer?.cancel()
            sweepTimer = nil
            passingTimer?.cancel()
            passingTimer = nil
            for call in waiting.takeAll() { call.end(.failure(RPCError(.unavailable, "The channel is closed.")), reset: false) }
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
