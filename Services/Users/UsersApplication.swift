internal import Application
internal import Passwords
internal import Postgres
internal import RPC
internal import Tokens

/// The users service as a value: what it is made of, and how it runs.
struct UsersApplication: Sendable {
    let host: ServiceHost
    let service: UsersService
    private let providers: ProvidersService
    private let appointments: AppointmentsService
    private let calendar: CalendarService
    private let records: RecordsService
    private let avatars: AvatarsService
    private let grants: CareGrantsService
    private let roles: RolesService
    private let accessLog: AccessLogService
    private let exports: ExportsService
    private let imports: ImportsService
    private let bootstrap: OperatorBootstrap?
    private let keeper: BlocklistKeeper
    private let jobs: ServiceJobs
    private let channels: [RPCChannel]

    /// Throws when a key cannot be used; connects to nothing yet.
    init(_ configuration: UsersConfiguration, passwords: Passwords = Passwords()) throws {
        host = try ServiceHost(configuration.common)
        let users = UserRepository(postgres: host.postgres)
        keeper = BlocklistKeeper(
            record: RevocationRepository(postgres: host.postgres), blocklist: host.blocklist, logger: host.logger)
        let signer = try TokenSigner(privateKeyPEM: configuration.signingKey, issuer: configuration.common.tokenIssuer)
        let sessions = Sessions(
            repository: SessionRepository(postgres: host.postgres), signer: signer, blocklist: host.blocklist, keeper: keeper)
        let erasures = ErasureRepository(postgres: host.postgres)
        let profiles = Profiles(users, caches: host.caches)
        service = UsersService(
            accounts: Accounts(users: users, sessions: sessions, profiles: profiles, erasures: erasures, passwords: passwords),
            sessions: sessions,
            profiles: profiles,
            consents: ConsentRepository(postgres: host.postgres),
            notifications: Notifications(postgres: host.postgres))
        providers = ProvidersService(providers: ProviderRepository(postgres: host.postgres))
        appointments = AppointmentsService(
            appointments: Appointments(postgres: host.postgres, holdLife: configuration.appointmentHold))
        calendar = CalendarService(calendar: PersonalCalendar(postgres: host.postgres))
        records = RecordsService(postgres: host.postgres)
        avatars = AvatarsService(avatars: AvatarRepository(postgres: host.postgres))
        grants = CareGrantsService(grants: CareGrantRepository(postgres: host.postgres))
        roles = RolesService(users: users, sessions: sessions, profiles: profiles)
        accessLog = AccessLogService(log: AccessLogRepository(postgres: host.postgres))
        let others = configuration.recordKeepers.map { [host] keeper in
            let channel = RPCChannel(
                target: (host: keeper.host, port: keeper.port), tls: configuration.common.clientTLS, logger: host.logger)
            return (keeper: RecordKeeper(keeper.name, at: channel), teller: RecordTeller(keeper.name, at: channel), channel: channel)
        }
        channels = others.map(\.channel)
        let own = RecordErasure(host, schema: "users") { subject in try await profiles.forget(UserID(subject.user)) }
        let erasing = ErasureJobs(
            erasures: erasures, keepers: [RecordKeeper("users", own)] + others.map(\.keeper), signer: signer, logger: host.logger,
            settling: configuration.erasureSettling)
        exports = ExportsService(exports: ExportRepository(postgres: host.postgres))
        let exporting = ExportJobs(
            exports: exports.exports,
            tellers: [RecordTeller("users", RecordExport(postgres: host.postgres, schema: "users", resources: .resources(of: host.postgres)))] + others.map(\.teller), logger: host.logger)
        imports = ImportsService(imports: ImportRepository(postgres: host.postgres))
        let importing = ImportJobs(
            imports: imports.imports, takers: others.filter { $0.keeper.name == "vitals" }.map { RecordTaker(vitals: $0.channel) },
            logger: host.logger)
        let upkeep = SessionUpkeep(sessions: sessions.repository, logger: host.logger)
        jobs = ServiceJobs(
            host, schema: "users",
            handlers: erasing.handlers + exporting.handlers + importing.handlers + [service.notifications.handler, upkeep.handler],
            cron: [ErasureJobs.hourly, ExportJobs.hourly, ImportJobs.hourly, SessionUpkeep.hourly])
        bootstrap = configuration.operatorAccount.map { [host] account in
            OperatorBootstrap(
                account, users: users, sessions: sessions, profiles: profiles, passwords: passwords, logger: host.logger)
        }
    }

    /// Runs until the program is asked to stop and the last call has ended.
    func run(
        stopSignals: Bool = true,
        onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
    ) async throws {
        try await host.run(
            services: [
                service, providers, appointments, calendar, records, avatars, grants, roles, accessLog, exports, imports,
                NotificationInbox(notifications: service.notifications),
            ],
            background: [{ [keeper] in await keeper.run() }] + channels.map { channel in { await channel.run() } } + jobs.background,
            readiness: bootstrap.map { [$0.readiness] } ?? [], stopSignals: stopSignals, onListening: onListening)
    }
}
