internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Finds the addresses of a name, in the order in which they are to be tried. It throws where it finds none.
package typealias NameLookup = @Sendable (_ name: RPCAddress) async throws -> [RPCAddress]

/// Looks a name up for the lanes of a channel, away from their event loops: as often as `Resolution` allows, and once at a time.
final class NameResolver: Sendable {
    struct Failure: Error, Hashable {
        let reason: String
    }

    private let name: RPCAddress
    private let timeout: Duration
    private let find: NameLookup
    private let state: Mutex<State>

    private struct State {
        var resolution: Resolution
        var deliver: @Sendable (Result<[RPCAddress], Failure>) -> Void = { _ in }
        var underWay: Task<Void, Never>?
    }

    init(name: RPCAddress, configuration: RPCChannelConfiguration) {
        self.name = name
        timeout = configuration.resolutionTimeout
        find = configuration.lookUp
        state = Mutex(State(resolution: Resolution(interval: configuration.minResolutionInterval)))
    }

    /// Says who hears of what was found.
    func onResult(_ deliver: @escaping @Sendable (Result<[RPCAddress], Failure>) -> Void) {
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
        deliver(.failure(Failure(reason: "the name \(name.host) was not looked up within \(timeout)")))
    }

    private func found() async -> Result<[RPCAddress], Failure> {
        do {
            let addresses = try await find(name)
            return addresses.isEmpty ? .failure(Failure(reason: "the name \(name.host) has no address")) : .success(addresses)
        } catch let failure as Failure {
            return .failure(failure)
        } catch {
            return .failure(Failure(reason: "the name \(name.host) was not looked up (\(error))"))
        }
    }

    private func ended(_ result: Result<[RPCAddress], Failure>) {
        let succeeded = if case .success = result { true } else { false }
        let deliver = state.withLock { state in
            state.underWay = nil
            state.resolution.ended(succeeded: succeeded, now: .now)
            return state.deliver
        }
        deliver(result)
    }
}

/// What getaddrinfo(3) knows about a name.
@safe
enum HostLookup {
    /// A name with more addresses than this is used with the first of them.
    static let maxAddresses = 256

    /// Threads for nothing else: a name server that is silent must not hold up whoever else needs a thread that may block.
    private static let threads: NIOThreadPool = {
        let threads = NIOThreadPool(numberOfThreads: 4)
        threads.start()
        return threads
    }()

    /// Does not block, and heeds no cancellation.
    static func find(_ name: RPCAddress) async throws -> [RPCAddress] {
        try await withCheckedThrowingContinuation { continuation in
            threads.submit { _ in
                do { continuation.resume(returning: try HostLookup.addresses(of: name)) } catch { continuation.resume(throwing: error) }
            }
        }
    }

    /// Blocks until an answer has come.
    static func addresses(of name: RPCAddress) throws(NameResolver.Failure) -> [RPCAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(name.host, nil, &hints, &list)
        guard code == 0 else {
            throw NameResolver.Failure(reason: unsafe "the name \(name.host) is not known (\(String(cString: gai_strerror(code))))")
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [RPCAddress] = []
        var entry = unsafe list
        while let info = unsafe entry, addresses.count < maxAddresses {
            if let host = unsafe numeric(info) { addresses.append(RPCAddress(host: host, port: name.port)) }
            unsafe entry = info.pointee.ai_next
        }
        return addresses
    }

    private static func numeric(_ info: UnsafeMutablePointer<addrinfo>) -> String? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = unsafe getnameinfo(
            info.pointee.ai_addr, info.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        guard code == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
