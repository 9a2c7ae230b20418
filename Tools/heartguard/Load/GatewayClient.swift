internal import Contracts
internal import Logging
internal import RPC

/// The way that every program takes into the cluster: gRPC over TLS to the Gateway, with a user's token.
struct GatewayClient: Sendable {
    let channel: RPCChannel
    private let token: String?
    /// Whose records are meant, where they are not the account's own.
    private let person: String?

    static let longestRetry = Duration.seconds(120)

    init(host: String, port: Int, authority: String) {
        channel = RPCChannel(target: (host: host, port: port), tls: ClientTLS(trustRoots: authority), logger: .silent)
        token = nil
        person = nil
    }

    private init(channel: RPCChannel, token: String?, person: String? = nil) {
        self.channel = channel
        self.token = token
        self.person = person
    }

    /// The same channel, speaking for the account that the token belongs to.
    func signedIn(_ token: String) -> GatewayClient { GatewayClient(channel: channel, token: token) }

    /// The same account, a clinician's, asking for a patient who has let it in.
    func acting(for person: String) -> GatewayClient { GatewayClient(channel: channel, token: token, person: person) }

    var options: CallOptions {
        var options = CallOptions(metadata: token.map { ["authorization": "Bearer \($0)"] } ?? [:])
        if let person { options.metadata["heartguard-patient"] = person }
        return options
    }

    /// Makes a call that may be repeated, again when the Gateway asks to wait or something is down for a moment.
    func patiently<Answer: Sendable>(_ call: (CallOptions) async throws(RPCError) -> Answer) async throws -> Answer {
        let end = ContinuousClock.now + Self.longestRetry
        var pause = Duration.milliseconds(100)
        while true {
            do {
                return try await call(options)
            } catch {
                let wait: Duration
                switch error.code {
                case .resourceExhausted: wait = Self.retryDelay(of: error) ?? pause
                case .unavailable: wait = pause
                default: throw error
                }
                guard ContinuousClock.now + wait < end else { throw error }
                try await Task.sleep(for: wait)
                pause = min(pause * 2, .seconds(2))
            }
        }
    }

    /// What a google.rpc.RetryInfo among the error's details asks for.
    static func retryDelay(of error: RPCError) -> Duration? {
        guard let delay = error.detail(GoogleRPC.RetryInfo.self)?.retryDelay else { return nil }
        return .seconds(delay.seconds) + .nanoseconds(Int64(delay.nanos))
    }
}

extension Array {
    /// The elements in runs of at most this many.
    func batches(of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
