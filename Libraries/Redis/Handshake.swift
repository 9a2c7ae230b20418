/// What a new connection says and demands before it is used. One round trip.
struct Handshake {
    private let configuration: RedisConfiguration

    init(_ configuration: RedisConfiguration) { self.configuration = configuration }

    func run(_ send: ([RedisCommand]) async -> RedisRequest.Answer) async throws(RedisError) {
        var replies = try await send(commands).get()[...]
        if configuration.password != nil { try authenticate(replies.removeFirst()) }
        try greet(replies.removeFirst())
        // The name is a courtesy to whoever reads CLIENT LIST; a user without that right may connect all the same.
        replies.removeFirst()
        if configuration.role == .durable { try await checkEviction(replies.removeFirst(), send) }
    }

    private var commands: [RedisCommand] {
        var commands: [RedisCommand] = []
        if let password = configuration.password {
            // Redis 6 and later: AUTH with a user's name; without one it is the default user's password.
            commands.append(configuration.username.map { ["AUTH", $0, password] } ?? ["AUTH", password])
        }
        commands += [["PING"], ["CLIENT", "SETNAME", configuration.clientName]]
        if configuration.role == .durable { commands.append(["INFO", "memory"]) }
        return commands
    }

    private func authenticate(_ reply: RESPValue) throws(RedisError) {
        switch reply {
        case .status("OK"):
            return
        case .error(let error):
            throw RedisError(
                .authenticationFailed, "Redis at \(address) refused our credentials: \(error.message)", cause: error)
        default:
            throw RedisError(.protocolViolation, "What listens at \(address) answers AUTH as Redis never does.")
        }
    }

    private func greet(_ reply: RESPValue) throws(RedisError) {
        switch reply {
        case .status("PONG"):
            return
        case .error(let error) where error.code == "NOAUTH" || error.code == "NOPERM":
            throw RedisError(
                .authenticationFailed, "Redis at \(address) does not let us in: \(error.message)", cause: error)
        case .error(let error):
            // LOADING while it reads its file, MASTERDOWN, too many clients: it may be otherwise in a moment.
            throw RedisError(.connectionFailed, "Redis at \(address) is not ready: \(error.message)", cause: error)
        default:
            throw RedisError(.protocolViolation, "What listens at \(address) answers PING as Redis never does.")
        }
    }

    private func checkEviction(
        _ memory: RESPValue, _ send: ([RedisCommand]) async -> RedisRequest.Answer
    ) async throws(RedisError) {
        var policy = memory.infoField("maxmemory_policy")
        if policy == nil {
            // A user may be allowed one command and not the other.
            let reply = try await send([["CONFIG", "GET", "maxmemory-policy"]]).get().first
            policy = reply?.array?.last?.text
        }
        guard let policy else {
            throw RedisError(
                .evictingServer,
                "Redis at \(address) does not say whether it evicts keys; the user needs INFO for the durable role.")
        }
        guard policy == "noeviction" else {
            throw RedisError(
                .evictingServer,
                "Redis at \(address) may evict keys (maxmemory-policy is \(policy)); the durable role needs noeviction.")
        }
    }

    private var address: String { "\(configuration.host):\(configuration.port)" }
}
