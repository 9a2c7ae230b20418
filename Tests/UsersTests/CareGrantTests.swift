@testable internal import Application
internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Resilience
internal import Schema
internal import TestSupport
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

/// A patient who has let one of two clinicians in.
private struct Ward {
    let users: UsersStand
    let ada: UserID
    let cora: CallerIdentity
    let corasTokens: UsersV1.TokenPair
    let dora: CallerIdentity
    let grants: CareGrantRepository

    init(_ users: UsersStand) async throws {
        self.users = users
        ada = UserID(try await users.newcomer().caller().userID)
        (cora, corasTokens) = try await Self.clinician(users)
        (dora, _) = try await Self.clinician(users)
        grants = CareGrantRepository(postgres: users.postgres)
    }

    private static func clinician(_ users: UsersStand) async throws -> (CallerIdentity, UsersV1.TokenPair) {
        let person = Person()
        let user = UserID(try await users.claims(users.register(person)).subject)
        try await users.service.sessions.assign(.clinician, to: user)
        let tokens = try await users.signIn(person)
        return (CallerIdentity(try await users.claims(tokens)), tokens)
    }

    @discardableResult
    func letIn(_ clinician: CallerIdentity, _ scopes: CareScope..., life: Duration = .seconds(60)) async throws -> CareGrant {
        let wish = GrantWish(
            id: UUIDv7.make(), clinician: .id(clinician.actorID), scopes: scopes, purpose: "Follow-up", expiresAt: .now() + life)
        return try await grants.give(wish, by: ada)
    }

    var access: PatientAccess { PatientAccess(postgres: users.postgres) }

    func admit(_ caller: CallerIdentity, to method: MethodDescriptor = Ward.readings) async throws(RPCError) {
        try await access.admit(caller, for: ada.uuid, to: method)
    }

    static let readings = VitalsV1.VitalsServiceMethods.listObservations.descriptor
    static let conversations = ChatV1.ChatServiceMethods.listSessions.descriptor

    /// A stream of what is new of Ada, which Cora asks for.
    var news: RPCContext {
        RPCContext(
            method: VitalsV1.LiveServiceMethods.subscribe.descriptor,
            metadata: ["authorization": "Bearer \(corasTokens.accessToken)", PatientAccess.header: ada.uuid.uuidString])
    }
}

private func withWard(_ body: (Ward) async throws -> Void) async throws {
    try await withUsers { users in try await body(Ward(users)) }
}

@Suite struct `The rows of grants` {
    private func seen(_ ward: Ward, by person: UUID?) async throws -> Set<UUID> {
        let identity = person.map { Identity.user($0) } ?? .none
        return Set(
            try await ward.users.postgres.rows("SELECT id FROM users.care_grants", as: Scalar<UUID>.self, identity: identity).map(\.value))
    }

    @Test func `are seen by who gave them and by who is let in, and by nobody else`() async throws {
        try await withWard { ward in
            let (toCora, toDora) = (try await ward.letIn(ward.cora, .vitalsRead), try await ward.letIn(ward.dora, .chatRead))

            #expect(try await seen(ward, by: ward.ada.uuid) == [toCora.id, toDora.id])
            #expect(try await seen(ward, by: ward.cora.actorID) == [toCora.id])
            #expect(try await seen(ward, by: ward.dora.actorID) == [toDora.id])
            #expect(try await seen(ward, by: UUID()).isEmpty)
            #expect(try await seen(ward, by: nil).isEmpty)
            // A grant shows a clinician nothing else of the patient's.
            let accounts = try await ward.users.postgres.rows(
                "SELECT id FROM users.users", as: Scalar<UUID>.self, identity: .user(ward.cora.actorID))
            #expect(accounts.map(\.value) == [ward.cora.actorID])
        }
    }

    private static let changes: [Query] = [
        "UPDATE users.care_grants SET scopes = '{chat.read}'", "UPDATE users.care_grants SET expires_at = now() + interval '9 years'",
        "UPDATE users.care_grants SET clinician_id = gen_random_uuid()", "UPDATE users.care_grants SET granted_at = now()",
        "DELETE FROM users.care_grants",
    ]

    @Test(arguments: changes.indices)
    func `say what they said, whoever would have it otherwise`(change: Int) async throws {
        try await withWard { ward in
            try await ward.letIn(ward.cora, .vitalsRead)

            for person in [ward.ada.uuid, ward.cora.actorID] {
                let error = await #expect(throws: PostgresError.self) {
                    try await ward.users.postgres.execute(Self.changes[change], identity: .user(person))
                }
                #expect(error?.code == .insufficientPrivilege)
            }
        }
    }

    @Test func `end once, by either of the two, and are never given by who is let in`() async throws {
        try await withWard { ward in
            let postgres = ward.users.postgres
            try await ward.letIn(ward.cora, .vitalsRead)

            #expect(try await postgres.execute("UPDATE users.care_grants SET revoked_at = now()", identity: .user(ward.dora.actorID)) == 0)
            #expect(try await postgres.execute("UPDATE users.care_grants SET revoked_at = now()", identity: .user(ward.cora.actorID)) == 1)
            for person in [ward.ada.uuid, ward.cora.actorID] {
                #expect(try await postgres.execute("UPDATE users.care_grants SET revoked_at = NULL", identity: .user(person)) == 0)
            }
            let error = await #expect(throws: PostgresError.self) {
                try await postgres.execute(
                    """
                    INSERT INTO users.care_grants (user_id, id, clinician_id, scopes, patient_name, purpose, expires_at)
                    VALUES (\(ward.ada.uuid), \(UUID()), \(ward.cora.actorID), '{vitals.read}', 'Ada', 'p', now() + interval '1 day')
                    """, identity: .user(ward.cora.actorID))
            }
            #expect(error?.code == .insufficientPrivilege)
        }
    }

    @Test(arguments: [ServiceRole.vitals, .chat, .vectors])
    func `are asked about by every service, and read by none`(role: ServiceRole) async throws {
        try await withWard { ward in
            try await ward.letIn(ward.cora, .vitalsRead)
            var service = try await usersDatabase()
            service.user = role.roleName

            try await PostgresServer.withClient(service) { (postgres: Postgres) async throws -> Void in
                func isGranted(to person: UUID, _ scopes: [CareScope] = [.vitalsRead, .vitalsWrite]) async throws -> Bool? {
                    try await postgres.first(.isGranted(scopes, by: ward.ada.uuid), identity: .user(person))?.value
                }
                #expect(try await isGranted(to: ward.cora.actorID) == true)
                #expect(try await isGranted(to: ward.cora.actorID, [.chatRead]) == false)
                #expect(try await isGranted(to: ward.cora.actorID, []) == false)
                #expect(try await isGranted(to: ward.dora.actorID) == false)
                #expect(try await isGranted(to: ward.ada.uuid) == false)
                let error = await #expect(throws: PostgresError.self) {
                    try await postgres.rows("SELECT id FROM users.care_grants", as: Scalar<UUID>.self, identity: .user(ward.cora.actorID))
                }
                #expect(error?.code == .insufficientPrivilege)
            }
        }
    }
}

@Suite struct `A call for a patient` {
    @Test func `is let in by a grant that stands and covers it`() async throws {
        try await withWard { ward in
            await expect(.permissionDenied) { try await ward.admit(ward.cora) }

            let grant = try await ward.letIn(ward.cora, .vitalsRead)

            try await ward.admit(ward.cora)
            await expect(.permissionDenied) { try await ward.admit(ward.cora, to: Ward.conversations) }
            await expect(.permissionDenied) { try await ward.admit(ward.dora) }
            _ = try await ward.grants.revoke(grant.id, by: ward.ada)
            await expect(.permissionDenied) { try await ward.admit(ward.cora) }
            try await ward.letIn(ward.cora, .vitalsRead, life: .milliseconds(1))
            try await Task.sleep(for: .milliseconds(2))
            await expect(.permissionDenied) { try await ward.admit(ward.cora) }
        }
    }

    @Test func `is a clinician's, and for somebody else`() async throws {
        try await withWard { ward in
            let bob = CallerIdentity(
                AccessClaims(subject: UUID(), role: .user, expiresAt: .now() + .seconds(60), sessionID: UUID()))
            try await ward.letIn(bob, .vitalsRead)

            await expect(.permissionDenied) { try await ward.admit(bob) }
            await expect(.permissionDenied) { try await ward.access.admit(ward.cora, for: ward.cora.actorID, to: Ward.readings) }
        }
    }

    @Test func `is let in by nobody while the record cannot be asked`() async throws {
        try await withWard { ward in
            try await ward.letIn(ward.cora, .vitalsRead)
            var nowhere = try await usersDatabase()
            nowhere.port = try FreePort.find()

            try await PostgresServer.withClient(nowhere) { (postgres: Postgres) async throws -> Void in
                await Deadline.with(.after(.milliseconds(500))) {
                    await expect(.unavailable) {
                        try await PatientAccess(postgres: postgres).admit(ward.cora, for: ward.ada.uuid, to: Ward.readings)
                    }
                }
            }
        }
    }

    enum End: CaseIterable, Sendable { case revoked, consentWithdrawn, loggedOut }

    @Test(arguments: End.allCases)
    func `of a stream ends with its grant or its session, and takes its handler along`(reason: End) async throws {
        try await withWard { ward in
            let (consents, stream) = (ConsentRepository(postgres: ward.users.postgres), OpenStream())
            _ = try await consents.give(.careSharing, to: DocumentVersion("2026-02"), by: ward.ada)
            let grant = try await ward.letIn(ward.cora, .vitalsRead)

            let error = try await stream.ending(of: ward.news, letIn: ward.users.authentication()) {
                switch reason {
                case .revoked: _ = try await ward.grants.revoke(grant.id, by: ward.ada)
                case .consentWithdrawn: _ = try await consents.withdraw(.careSharing, by: ward.ada)
                case .loggedOut: _ = try await ward.users.service.logOut(.init(), context: ward.users.context(ward.corasTokens))
                }
            }

            let code: StatusCode = reason == .loggedOut ? .unauthenticated : .permissionDenied
            #expect(error?.code == code)
            #expect(stream.isCancelled)
        }
    }

    @Test func `of a stream goes on when another grant ends`() async throws {
        try await withWard { ward in
            try await ward.letIn(ward.cora, .vitalsRead)
            let (other, clock) = (try await ward.letIn(ward.dora, .vitalsRead), TokenClock())

            try await ward.users.authentication(clock: clock).intercept(ward.news) { context in
                let caller = try context.caller()
                #expect(caller.userID == ward.ada.uuid && caller.actorID == ward.cora.actorID)
                _ = try await ward.grants.revoke(other.id, by: ward.ada)
                try await clock.isLookedAt()
            }
        }
    }
}

@Suite struct `Care that is no longer to be shared` {
    private func consents(_ ward: Ward) -> ConsentRepository { ConsentRepository(postgres: ward.users.postgres) }

    @Test func `lets nobody in any more, and somebody new when that is wanted`() async throws {
        try await withWard { ward in
            let consents = consents(ward)
            let consented = try await consents.give(.careSharing, to: DocumentVersion("2026-02"), by: ward.ada)
            for clinician in [ward.cora, ward.dora] { try await ward.letIn(clinician, .vitalsRead) }
            _ = try await consents.give(.research, to: DocumentVersion("2026-02"), by: ward.ada)
            _ = try await consents.withdraw(.research, by: ward.ada)
            try await ward.admit(ward.cora)

            let withdrawn = try await consents.withdraw(.careSharing, by: ward.ada)

            #expect(withdrawn?.isGranted == false && withdrawn?.epoch == consented.epoch + 1)
            for clinician in [ward.cora, ward.dora] { await expect(.permissionDenied) { try await ward.admit(clinician) } }
            #expect(try await ward.grants.list(by: ward.ada, after: nil, limit: 10).allSatisfy { $0.revokedAt != nil })
            // A grant is a consent of its own; and each withdrawal says of all of them that they are over.
            try await ward.letIn(ward.cora, .vitalsRead)
            try await ward.admit(ward.cora)
            #expect(try await consents.withdraw(.careSharing, by: ward.ada) == withdrawn)
            await expect(.permissionDenied) { try await ward.admit(ward.cora) }
        }
    }

    @Test func `is a withdrawal and the ends of all grants, or neither`() async throws {
        try await withWard { ward in
            let consents = consents(ward)
            let grant = try await ward.letIn(ward.cora, .vitalsRead)
            #expect(try await consents.withdraw(.careSharing, by: ward.ada) == nil)
            try await ward.admit(ward.cora)
            _ = try await consents.give(.careSharing, to: DocumentVersion("2026-02"), by: ward.ada)

            // Whoever holds the row of the grant keeps its end from being written.
            try await ward.users.postgres.transaction(identity: .user(ward.ada.uuid)) { transaction in
                try await transaction.execute("SELECT FROM users.care_grants WHERE id = \(grant.id) FOR UPDATE")
                await Deadline.with(.after(.milliseconds(300))) {
                    _ = await #expect(throws: PostgresError.self) { try await consents.withdraw(.careSharing, by: ward.ada) }
                }
            }

            #expect(try await consents.list(of: ward.ada).map(\.isGranted) == [true])
            try await ward.admit(ward.cora)
        }
    }

    @Test func `is not outrun by a grant that is given meanwhile`() async throws {
        try await withWard { ward in
            let consents = consents(ward)
            for _ in 0..<10 {
                _ = try await consents.give(.careSharing, to: DocumentVersion("2026-02"), by: ward.ada)
                async let given = ward.letIn(ward.cora, .vitalsRead)
                async let withdrawn = consents.withdraw(.careSharing, by: ward.ada)
                let (grant, consent) = (try await given, try #require(try await withdrawn))

                let known = try #require(try await ward.grants.list(by: ward.ada, after: nil, limit: 1).first)
                let withdrawnAt = try #require(consent.withdrawnAt)
                #expect(known.id == grant.id)
                // Given before the withdrawal it has ended by it; given after it, it stands.
                #expect((known.revokedAt != nil) == (known.grantedAt < withdrawnAt))
            }
        }
    }
}

@Suite struct `A clinician's account` {
    @Test func `begins no session with the role that it had`() async throws {
        try await withUsers { users in
            let person = Person()
            let user = UserID(try await users.claims(users.register(person)).subject)
            let sessions = SessionRepository(postgres: users.postgres)
            let before = try #require(try await UserRepository(postgres: users.postgres).credentials(of: user))
            let session = NewSession(id: .make(), token: RefreshToken(userID: user.uuid), tokenExpiresAt: .now() + .seconds(60))

            try await users.service.sessions.assign(.clinician, to: user)

            #expect(
                try await sessions.insert(session, of: user, whosePasswordIs: before.passwordHash, role: before.user.role) == false)
            #expect(try await users.claims(users.signIn(person)).role == .clinician)
        }
    }

    @Test func `has every session end that says what it was`() async throws {
        try await withUsers { users in
            let person = Person()
            let (first, second) = (try await users.register(person), try await users.signIn(person))
            let claims = (try await users.claims(first), try await users.claims(second))

            try await users.service.sessions.assign(.clinician, to: UserID(claims.0.subject))

            #expect(try await users.standing(claims.0) == .revoked)
            #expect(try await users.standing(claims.1) == .revoked)
            await expect(.unauthenticated) { try await users.refresh(first) }
        }
    }

    @Test func `is let in by nobody whose account is closed`() async throws {
        try await withWard { ward in
            try await ward.letIn(ward.cora, .vitalsRead)

            _ = try await ErasureRepository(postgres: ward.users.postgres).close(ward.ada, by: .user, accessUntil: .now() + .seconds(60))

            await expect(.permissionDenied) { try await ward.admit(ward.cora) }
            // Nor by what a call of that account does that goes on still.
            await #expect(throws: UsersError.accountGone) { try await ward.letIn(ward.cora, .vitalsRead) }
        }
    }

    @Test func `is let in nowhere once it is closed`() async throws {
        try await withWard { ward in
            let grant = try await ward.letIn(ward.cora, .vitalsRead)

            _ = try await ErasureRepository(postgres: ward.users.postgres).close(
                UserID(ward.cora.actorID), by: .user, accessUntil: .now() + .seconds(60))

            await expect(.permissionDenied) { try await ward.admit(ward.cora) }
            let known = try await ward.grants.list(by: ward.ada, after: nil, limit: 2)
            #expect(known.map(\.id) == [grant.id] && known.first?.revokedAt != nil)
        }
    }
}

@Suite struct `The scopes of grants` {
    @Test func `are those of the contract`() throws {
        let contract = PolicyV1.CareScope.allCases.filter { $0 != .unspecified }

        #expect(try contract.map { try CareScope($0) } == CareScope.allCases)
        #expect(CareScope.allCases.map { PolicyV1.CareScope($0) } == contract)
        #expect(CareScope.allCases.allSatisfy { $0.implied != $0 && $0.implied?.implied == nil })
    }

    @Test func `open reading to reading, and changing to changing`() {
        let opened = ContractRegistry.methods.map(\.descriptor.policy).filter { !$0.scopes.isEmpty }

        #expect(opened.count > 30)
        for policy in opened {
            #expect(policy.access == .user)
            #expect(policy.audit == .read || policy.audit == .write)
            #expect(policy.scopes.allSatisfy { $0.rawValue.hasSuffix(policy.audit == .read ? ".read" : ".write") })
        }
    }
}
