internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Looks a name up for the lanes of a channel, on a thread that may block, as often as `Resolution` allows.
final class NameResolver: Sendable {
    struct Failure: Error, Hashable {
        let reason: String
    }

    private let name: RPCAddress
    private let state: Mutex<State>

    private struct State {
        var resolution: Resolution
        var deliver: @Sendable (Result<[RPCAddress], Failure>) -> Void = { _ in }
    }

    init(name: RPCAddress, interval: Duration) {
        self.name = name
        state = Mutex(State(resolution: Resolution(interval: interval)))
    }

    /// Says who hears of what was found.
    func onResult(_ deliver: @escaping @Sendable (Result<[RPCAddress], Failure>) -> Void) {
        state.withLock { $0.deliver = deliver }
    }

    /// Delivers nothing from now on. Whoever hears of what was found holds the resolver and is held by it until then.
    func stop() {
        state.withLock { $0.deliver = { _ in } }
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
        let name = name
        NIOThreadPool.singleton.submit { [weak self] _ in
            let result: Result<[RPCAddress], Failure>
            do throws(Failure) { result = .success(try HostLookup.addresses(of: name)) } catch { result = .failure(error) }
            self?.ended(result)
        }
    }

    private func ended(_ result: Result<[RPCAddress], Failure>) {
        let succeeded = if case .success = result { true } else { false }
        let deliver = state.withLock { state in
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
        guard !addresses.isEmpty else { throw NameResolver.Failure(reason: "the name \(name.host) has no address") }
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
