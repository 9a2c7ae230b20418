internal import Contracts
internal import RPC

/// The operator's way to the Vectors service itself: through the Gateway every document would be copied once more.
struct VectorsOperator: Sendable {
    let channel: RPCChannel
    private let accounts: SampleAccounts

    /// How long a service may be away before a command gives up.
    static let patience = Duration.seconds(120)

    init(_ directory: StateDirectory) throws {
        let ports = try directory.portsOfRunning()
        let host = "127.0.0.1"
        channel = RPCChannel(
            target: (host: host, port: ports[.vectors]), tls: ClientTLS(trustRoots: directory.certificateAuthority), logger: .silent)
        accounts = SampleAccounts(
            directory: directory,
            gateway: GatewayClient(host: host, port: ports[.gateway], authority: directory.certificateAuthority))
    }

    func close() async {
        await channel.close()
        await accounts.gateway.channel.close()
    }

    /// Signs in anew: a token may end before a long transfer does.
    func options() async throws -> CallOptions {
        let account = try Credentials.current(in: accounts.directory).operator
        guard let token = try await accounts.token(of: account) else {
            throw CommandFailure("the operator's account \(account.email) cannot sign in.")
        }
        return accounts.gateway.signedIn(token).options
    }

    /// The collection that has a name, or that the alias with it leads to.
    func collection(_ name: String) async throws -> VectorsV1.Collection {
        let (collections, aliases) = try await patiently(progress: { 0 }) {
            let options = try await options()
            return (
                try await VectorsV1.VectorsServiceClient(channel).listCollections(.init(), options: options).collections,
                try await VectorsV1.AliasesServiceClient(channel).listAliases(.init(), options: options).aliases
            )
        }
        let target = aliases.first { $0.name == name }?.collection ?? name
        guard let collection = collections.first(where: { $0.name == target }) else {
            let names = collections.map(\.name).joined(separator: ", ")
            throw CommandFailure("there is no collection \(name). There are: \(names).")
        }
        return collection
    }

    /// Calls again what was lost on its way, from where it had come to, until nothing has gone on for too long.
    ///
    /// - Parameter progress: a number that is another one when something has gone on.
    func patiently<Answer: Sendable>(
        progress: () -> Int, _ call: () async throws -> Answer
    ) async throws -> Answer {
        var end = ContinuousClock.now + Self.patience
        var pause = Duration.milliseconds(100)
        var last = progress()
        while true {
            do {
                return try await call()
            } catch let error as RPCError where Self.passes(error) {
                if progress() != last {
                    last = progress()
                    end = ContinuousClock.now + Self.patience
                    pause = .milliseconds(100)
                }
                guard ContinuousClock.now + pause < end else { throw error }
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(2))
            }
        }
    }

    /// Whether it may go well another time.
    private static func passes(_ error: RPCError) -> Bool {
        switch error.code {
        case .unavailable, .deadlineExceeded, .aborted, .unauthenticated, .unknown: true
        // Of a service that was killed.
        case .internalError, .cancelled: error.statusDetails == nil
        default: false
        }
    }
}
