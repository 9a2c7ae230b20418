internal import Application
internal import Passwords
internal import Tokens

/// The users service as a value: what it is made of, and how it runs.
struct UsersApplication: Sendable {
    let host: ServiceHost
    let service: UsersService
    private let bootstrap: OperatorBootstrap?
    private let keeper: BlocklistKeeper

    /// Throws when a key cannot be used; connects to nothing yet.
    init(_ configuration: UsersConfiguration, passwords: Passwords = Passwords()) throws {
        host = try ServiceHost(configuration.common)
        let users = UserRepository(postgres: host.postgres)
        keeper = BlocklistKeeper(
            record: RevocationRepository(postgres: host.postgres), blocklist: host.blocklist, logger: host.logger)
        let sessions = Sessions(
            repository: SessionRepository(postgres: host.postgres),
            signer: try TokenSigner(
                privateKeyPEM: configuration.signingKey, issuer: configuration.common.tokenIssuer),
            blocklist: host.blocklist, keeper: keeper)
        service = UsersService(
            accounts: Accounts(users: users, sessions: sessions, passwords: passwords),
            sessions: sessions,
            profiles: Profiles(users, caches: host.caches),
            consents: ConsentRepository(postgres: host.postgres))
        bootstrap = configuration.operatorAccount.map { [host] account in
            OperatorBootstrap(account, users: users, passwords: passwords, logger: host.logger)
        }
    }

    /// Runs until the program is asked to stop and the last call has ended.
    func run(
        stopSignals: Bool = true,
        onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
    ) async throws {
        try await host.run(
            services: [service], background: [{ [keeper] in await keeper.run() }], readiness: bootstrap.map { [$0.readiness] } ?? [], stopSignals: stopSignals,
            onListening: onListening)
    }
}
