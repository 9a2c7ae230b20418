/// Chooses the address of each call from what is known about all of them. It knows neither clocks nor sockets, and
/// chance is handed to it.
struct Balancer {
    struct Endpoint {
        let address: RPCAddress
        var state = ConnectivityState.idle
        /// What went wrong since it was last ready.
        var failure: String?
        var callsUnderWay = 0
        var isEjected = false

        /// What a call can expect of it. One that could not be reached is tried again, and until that has come to something calls do not
        /// wait for it (gRFC A62): an attempt to reach a machine that is silent takes as long as it may.
        var outlook: ConnectivityState {
            if state == .connecting, let failure { .transientFailure(reason: failure) } else { state }
        }
    }

    enum Pick: Hashable {
        /// Send the call to the endpoint with this index.
        case use(Int)
        /// Wait for a connection.
        case wait
        /// None can be reached. A call that waits for ready waits all the same.
        case fail(reason: String)
    }

    private let policy: LoadBalancing.Policy
    private(set) var endpoints: [Endpoint] = []
    /// The endpoints that should be connected when there are calls, as indices.
    private(set) var wanted: [Int] = []
    /// The endpoints that calls are shared among, as indices.
    private var serving: [Int] = []
    private var turn = 0
    /// Whose turn it is to be the first, where only one is used.
    private var chosen = 0

    init(_ policy: LoadBalancing.Policy, addresses: [RPCAddress] = []) {
        self.policy = policy
        update(addresses)
    }

    // MARK: What happens

    /// There are other addresses now. What is known about those that stay is kept.
    mutating func update(_ addresses: [RPCAddress]) {
        let known = endpoints
        let current = known.indices.contains(chosen) ? known[chosen].address : nil
        var seen: Set<RPCAddress> = []
        endpoints = addresses.filter { seen.insert($0).inserted }.map { address in
            known.first { $0.address == address } ?? Endpoint(address: address)
        }
        chosen = endpoints.firstIndex { $0.address == current } ?? 0
        if policy == .pickFirst { moveOn() }
        findServing()
    }

    mutating func changed(_ index: Int, to state: ConnectivityState) {
        endpoints[index].state = state
        switch state {
        case .transientFailure(let reason): endpoints[index].failure = reason
        case .ready:
            endpoints[index].failure = nil
            if policy == .pickFirst, endpoints[chosen].state != .ready { chosen = index }
        case .idle, .connecting, .shutdown: break
        }
        if policy == .pickFirst { moveOn() }
        findServing()
    }

    /// The one whose turn it is has not answered for a while: the next is tried beside it, and whichever answers first is
    /// used (gRFC A61).
    mutating func passOver() {
        guard isSeeking, let next = nextInLine(where: { $0 == .idle }) else { return }
        chosen = next
        findServing()
    }

    mutating func ejected(_ index: Int, _ isEjected: Bool) {
        endpoints[index].isEjected = isEjected
        findServing()
    }

    mutating func callBegan(_ index: Int) {
        endpoints[index].callsUnderWay += 1
    }

    mutating func callEnded(_ index: Int) {
        endpoints[index].callsUnderWay -= 1
    }

    // MARK: What follows

    /// Where the next call goes. Addresses that it has been sent to before are avoided while there are others.
    mutating func pick(avoiding tried: [RPCAddress], using generator: inout some RandomNumberGenerator) -> Pick {
        guard !serving.isEmpty else { return whyNobodyServes }
        var candidates = serving
        if !tried.isEmpty {
            let fresh = serving.filter { !tried.contains(endpoints[$0].address) }
            if !fresh.isEmpty { candidates = fresh }
        }
        switch policy {
        case .pickFirst: return .use(candidates[0])
        case .roundRobin:
            turn &+= 1
            return .use(candidates[Int(UInt(bitPattern: turn) % UInt(candidates.count))])
        case .leastRequests(let choices):
            var best = candidates[Int.random(in: candidates.indices, using: &generator)]
            for _ in 1..<max(2, choices) {
                let other = candidates[Int.random(in: candidates.indices, using: &generator)]
                if endpoints[other].callsUnderWay < endpoints[best].callsUnderWay { best = other }
            }
            return .use(best)
        }
    }

    /// Where every call goes while nothing changes; `nil` when there is a choice, or nowhere to go.
    var sole: Int? {
        serving.count == 1 && (policy == .pickFirst || endpoints.count == 1) ? serving[0] : nil
    }

    /// Whether one address is waited for, and others could be tried.
    var isSeeking: Bool {
        policy == .pickFirst && endpoints.count > 1 && endpoints[chosen].state == .connecting
    }

    /// Whether the endpoint is ready and nobody needs it, since another was ready before.
    func isSpare(_ index: Int) -> Bool {
        policy == .pickFirst && index != chosen && endpoints[index].state == .ready
    }

    /// What the channel as a whole is (gRPC's load-balancing and connectivity documents): the best of its endpoints.
    var state: ConnectivityState {
        if !serving.isEmpty { return .ready }
        let states = endpoints.map(\.outlook)
        if states.contains(.connecting) { return .connecting }
        if states.contains(.idle) { return .idle }
        if case .transientFailure(let reason)? = states.first(where: \.isFailure) { return .transientFailure(reason: reason) }
        return .idle
    }

    private var whyNobodyServes: Pick {
        if case .transientFailure(let reason) = state { return .fail(reason: reason) }
        return .wait
    }

    /// Those that are ready and not left out; when all that are ready are left out, these.
    private mutating func findServing() {
        let used = policy == .pickFirst ? endpoints.indices.filter { $0 == chosen } : Array(endpoints.indices)
        wanted = used.filter { endpoints[$0].state == .idle }
        let ready = used.filter { endpoints[$0].state == .ready }
        let trusted = ready.filter { !endpoints[$0].isEjected }
        serving = trusted.isEmpty ? ready : trusted
    }

    /// When the first cannot be reached, the next that has not failed takes its place.
    private mutating func moveOn() {
        guard !endpoints.isEmpty, endpoints[chosen].state.isFailure else { return }
        if let next = nextInLine(where: { !$0.isFailure }) { chosen = next }
    }

    /// The next behind the one whose turn it is.
    private func nextInLine(where isFit: (ConnectivityState) -> Bool) -> Int? {
        for step in 1..<max(2, endpoints.count) {
            let index = (chosen + step) % endpoints.count
            if isFit(endpoints[index].state) { return index }
        }
        return nil
    }
}

extension ConnectivityState {
    var isFailure: Bool { if case .transientFailure = self { true } else { false } }
}
