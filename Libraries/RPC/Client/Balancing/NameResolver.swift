internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Looks a name up for the lanes of a channel, away from their event loops: as often as `Resolution` allows, and once at a time.
final class NameResolver: Sendable {
    private let name: RPCAddress
    private let timeout: Duration
    private let find: NameLookup
    private let state: Mutex<State>

    private struct State {
        var resolution: Resolution
        var deliver: @Sendable (Result<[RPCAddress], LookupFailure>) -> Void = { _ in }
        var underWay: Task<Void, Never>?
    }

    init(name: RPCAddress, configuration: RPCChannelConfiguration) {
        self.name = name
        timeout = configuration.resolutionTimeout
        find = configuration.lookUp
        state = Mutex(State(resolution: Resolution(interval: configuration.minResolutionInterval)))
    }

    /// Says who hears of what was found.
    func onResult(_ deliver: @escaping @Sendable (Result<[RPCAddress], LookupFailure>) -> Void) {
        state.withLock { $0.deliver = deliver }
    }

    /// Delivers nothing from now on. Whoever hears of what was found holds the resolver and is held by it until then.
    func stop() {
        state.withLock { state in
            state.deliver = { _ in }
            state.underWay?.cancel()
        }
    }

    /// Somebody cannot connect. What is found is delivered, soon or when the minimum interval has passed.
    func lookUp() {
        switch state.withLock({ $0.resolution.wanted(now: .now) }) {
        case .lookUp: begin()
        case .wait(let duration):
            MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: TimeAmount(duration)) { [weak self] in
                guard let self else { return }
                if state.withLock({ $0.resolution.waited() }) { begin() }
            }
        case .nothing: break
        }
    }

    private func begin() {
        let timer = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: TimeAmount(timeout)) { self.becameLate() }
        state.withLock { state in
            // It belongs to no call, and has no call's deadline.
            state.underWay = Task.detached {
                let result = await self.found()
                timer.cancel()
                self.ended(result)
            }
        }
    }

    /// Whoever waits is told. What is found after all is delivered, and until then nothing else is looked up.
    private func becameLate() {
        let (deliver, underWay) = state.withLock { ($0.deliver, $0.underWay) }
        underWay?.cancel()
        deliver(.failure(LookupFailure(reason: "the name \(name.host) was not looked up within \(timeout)")))
    }

    private func found() async -> Result<[RPCAddress], LookupFailure> {
        do {
            let addresses = try await find(name)
            return addresses.isEmpty ? .failure(LookupFailure(reason: "the name \(name.host) has no address")) : .success(addresses)
        } catch let failure as LookupFailure {
            return .failure(failure)
        } catch {
            return .failure(LookupFailure(reason: "the name \(name.host) was not looked up (\(error))"))
        }
    }

    private func ended(_ result: Result<[RPCAddress], LookupFailure>) {
        let succeeded = if case .success = result { true } else { false }
        let deliver = state.withLock { state in
            state.underWay = nil
            state.resolution.ended(succeeded: succeeded, now: .now)
            return state.deliver
        }
        deliver(result)
    }
}
