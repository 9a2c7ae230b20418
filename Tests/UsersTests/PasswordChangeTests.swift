internal import Application
internal import Contracts
internal import Foundation
internal import Passwords
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Resilience
internal import Synchronization
internal import TestSupport
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

@Suite struct `Who changes the password` {
    private static let new = "a new horse battery staple"

    private func change(_ users: UsersStand, _ context: RPCContext, from current: String, to new: String = new) async throws {
        _ = try await users.service.changePassword(.init(currentPassword: current, newPassword: new), context: context)
    }

    @Test func `keeps this session and ends every other, and is told of it`() async throws {
        try await withUsers { users in
            let ada = Person()
            let (here, elsewhere) = (try await users.register(ada), try await users.signIn(ada))
            let context = try await users.context(here)

            try await change(users, context, from: ada.password)

            #expect(try await users.standing(users.claims(here)) == .standing)
            #expect(try await users.standing(users.claims(elsewhere)) == .revoked)
            for (tokens, isRevoked) in [(elsewhere, true), (here, false)] {
                let claims = try await users.claims(tokens)
                #expect(try await users.postgres.first(.isRevoked(session: claims.sessionID, of: claims.subject))?.value == isRevoked)
            }
            await expect(.unauthenticated) { try await users.refresh(elsewhere) }
            _ = try await users.refresh(here)
            await expect(.unauthenticated) { try await users.signIn(ada) }
            _ = try await users.service.logIn(.init(email: ada.email, password: Self.new), context: anonymous)
            let told = try await UserNotificationRepository(postgres: users.postgres).list(of: UserID(try context.caller().userID), limit: 10)
            #expect(told.map(\.kind) == [.security] && told[0].title == "Your password was changed")
        }
    }

    @Test func `knows the one that holds`() async throws {
        try await withUsers { users in
            let ada = Person()
            let here = try await users.context(users.register(ada))
            let elsewhere = try await users.signIn(ada)

            await expect(.unauthenticated) { try await change(users, here, from: "wrong horse battery staple") }
            await expect(.invalidArgument, fields: ["current_password", "new_password"]) { try await change(users, here, from: "", to: "short") }

            _ = try await users.signIn(ada)
            #expect(try await users.standing(users.claims(elsewhere)) == .standing)
            await expect(.notFound) {
                try await change(users, context(of: UUID()), from: ada.password)
            }
        }
    }

    @Test func `does so once, of two who do at the same time`() async throws {
        try await withUsers { users in
            let ada = Person()
            let context = try await users.context(users.register(ada))

            let outcomes = await withTaskGroup(of: RPCError?.self) { group in
                for number in 0..<4 {
                    group.addTask { await refusal { try await change(users, context, from: ada.password, to: "new password number \(number)") } }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }

            #expect(outcomes.count { $0 == nil } == 1)
            #expect(outcomes.compactMap(\.self).allSatisfy { $0.code == .unauthenticated })
        }
    }

    @Test func `leaves no session behind that was about to begin with the old one`() async throws {
        try await withUsers { users in
            let ada = Person()
            let context = try await users.context(users.register(ada))
            let user = UserID(try context.caller().userID)
            let before = try #require(try await UserRepository(postgres: users.postgres).credentials(of: user))
            let session = NewSession(id: .make(), token: RefreshToken(userID: user.uuid), tokenExpiresAt: .now() + .seconds(60))

            try await change(users, context, from: ada.password)

            let sessions = SessionRepository(postgres: users.postgres)
            #expect(try await sessions.insert(session, of: user, whosePasswordIs: before.passwordHash, role: .user) == false)
        }
    }

    @Test func `is no operator, whose password stands in the settings`() async throws {
        try await withUsers { users in
            let email = try EmailAddress("root-\(UUID().uuidString.lowercased())@example.org")
            let account = OperatorAccount(email: email, password: try Password("correct horse battery staple"))
            try await OperatorBootstrap(
                account, users: UserRepository(postgres: users.postgres), sessions: users.service.sessions, profiles: users.service.profiles,
                passwords: users.passwords, logger: quiet
            ).run()
            let tokens = try #require(
                try await users.service.logIn(.init(email: email.text, password: account.password.text), context: anonymous).tokens)

            await expect(.failedPrecondition) { try await change(users, users.context(tokens), from: account.password.text) }
        }
    }
}

@Suite struct `An address for which wrong passwords are tried` {
    /// Counts the checks, each of which is one computation of Argon2, by whether there was a hash to compare with.
    private final class Checks: Sendable {
        let counts = Mutex<[Bool: Int]>([:])

        func check(with passwords: Passwords) -> CredentialCheck {
            CredentialCheck { password, storedHash async throws(PasswordsError) in
                self.counts.withLock { $0[storedHash != nil, default: 0] += 1 }
                return try await CredentialCheck(passwords).matches(password, storedHash)
            }
        }
    }

    private func attempt(_ users: UsersStand, _ email: String, _ password: String = "wrong horse battery staple") async -> RPCError? {
        await refusal { try await users.service.logIn(.init(email: email, password: password), context: anonymous) }
    }

    private static func wait(_ error: RPCError?) -> Duration? {
        error?.detail(GoogleRPC.RetryInfo.self)?.retryDelay.map { .seconds($0.seconds) + .nanoseconds(Int64($0.nanos)) }
    }

    private func setState(of email: String, failures: Int, blockedFor: String, age: String = "0") async throws {
        try await PostgresServer.shared.psql(
            """
            ALTER TABLE users.sign_in_attempts DISABLE TRIGGER set_updated_at;
            UPDATE users.sign_in_attempts SET failures = \(failures), blocked_until = clock_timestamp() + interval '\(blockedFor)',
                updated_at = clock_timestamp() - interval '\(age)' WHERE address_sha256 = sha256('\(email)');
            ALTER TABLE users.sign_in_attempts ENABLE TRIGGER set_updated_at;
            """, database: try await usersDatabase().database)
    }

    @Test func `waits longer and longer, the same and after the same work whether it has an account or not`() async throws {
        let checks = Checks()
        let passwords = Passwords.quick()
        try await withUsers(passwords: passwords, credentials: checks.check(with: passwords)) { users in
            let ada = Person()
            _ = try await users.register(ada)
            let nobody = Person()

            var codes: [[StatusCode?]] = []
            for person in [ada, nobody] {
                var answers: [StatusCode?] = []
                for _ in 0..<13 { answers.append(await attempt(users, person.email)?.code) }
                codes.append(answers)
            }

            // Ten are free, the eleventh has the address wait, and while it waits nothing is checked.
            let expected: [StatusCode?] = Array(repeating: .unauthenticated, count: 11) + [.resourceExhausted, .resourceExhausted]
            #expect(codes == [expected, expected])
            #expect(checks.counts.withLock { $0 } == [true: 11, false: 11])
            // A busy machine may take longer for both than the first wait is.
            for person in [ada, nobody] { try await setState(of: person.email, failures: 11, blockedFor: "1 minute") }
            let (known, unknown) = (await attempt(users, ada.email), await attempt(users, nobody.email))
            #expect(known?.message == unknown?.message)
            #expect(known?.detail(GoogleRPC.ErrorInfo.self) == unknown?.detail(GoogleRPC.ErrorInfo.self))
            for error in [known, unknown] { #expect(Self.wait(error).map { $0 > .zero && $0 <= .seconds(60) } == true) }
            // Not even the right one is looked at.
            #expect(await attempt(users, ada.email, ada.password)?.code == .resourceExhausted)
            // A second at first, and each further one doubles the wait, up to a quarter of an hour.
            for (failures, longest) in [(10, 1), (11, 2), (12, 4), (15, 32), (19, 512), (20, 900), (1_000, 900), (1_000_000, 900)] {
                for person in [ada, nobody] {
                    try await setState(of: person.email, failures: failures, blockedFor: "-1 second")
                    #expect(await attempt(users, person.email)?.code == .unauthenticated)
                    let wait = Self.wait(await attempt(users, person.email))
                    #expect(wait.map { $0 > .seconds(longest - 2) && $0 <= .seconds(longest) } == true, "\(failures): \(String(describing: wait))")
                }
            }
        }
    }

    @Test func `is open to the right one when the wait is over, and begins anew with it or after a day`() async throws {
        try await withUsers { users in
            let ada = Person()
            let tokens = try await users.register(ada)
            for _ in 0..<11 { _ = await attempt(users, ada.email) }
            #expect(await attempt(users, ada.email, ada.password)?.code == .resourceExhausted)
            // Who is signed in stays so.
            _ = try await users.refresh(tokens)

            try await setState(of: ada.email, failures: 30, blockedFor: "-1 second")
            _ = try await users.signIn(ada)
            for _ in 0..<10 { #expect(await attempt(users, ada.email)?.code == .unauthenticated) }
            _ = try await users.signIn(ada)

            for _ in 0..<11 { _ = await attempt(users, ada.email) }
            try await setState(of: ada.email, failures: 30, blockedFor: "-1 second", age: "25 hours")
            for _ in 0..<10 { #expect(await attempt(users, ada.email)?.code == .unauthenticated) }
            _ = try await users.signIn(ada)
        }
    }

    @Test func `has no more of them checked when a hundred come at once`() async throws {
        let checks = Checks()
        let passwords = Passwords.quick()
        try await withUsers(passwords: passwords, credentials: checks.check(with: passwords)) { users in
            let ada = Person()
            _ = try await users.register(ada)

            let codes = await withTaskGroup(of: StatusCode?.self) { group in
                for _ in 0..<100 { group.addTask { await attempt(users, ada.email)?.code } }
                return await group.reduce(into: []) { $0.append($1) }
            }

            let counted = checks.counts.withLock { $0[true] ?? 0 }
            #expect((11...13).contains(counted))
            #expect(codes.count { $0 == .unauthenticated } == counted)
            #expect(codes.count { $0 == .resourceExhausted } == 100 - counted)
        }
    }

    @Test func `counts them too where somebody is signed in, and is forgotten with the account`() async throws {
        try await withUsers { users in
            let ada = Person()
            let context = try await users.context(users.register(ada))
            for attempt in 0..<11 {
                await expect(.unauthenticated) {
                    if attempt % 2 == 0 {
                        _ = try await users.service.changePassword(
                            .init(currentPassword: "wrong horse battery staple", newPassword: "a new horse battery staple"), context: context)
                    } else {
                        _ = try await users.service.eraseAccount(.init(password: "wrong horse battery staple"), context: context)
                    }
                }
            }
            await expect(.resourceExhausted) { try await users.service.eraseAccount(.init(password: ada.password), context: context) }
            try await setState(of: ada.email, failures: 30, blockedFor: "-1 second")

            _ = try await users.service.eraseUser(.init(userId: try context.caller().userID.text), context: context)

            let left = try await PostgresServer.shared.psql(
                "SELECT count(*) FROM users.sign_in_attempts WHERE address_sha256 = sha256('\(ada.email)')",
                database: try await usersDatabase().database)
            #expect(left == "0")
        }
    }

    @Test func `is forgotten a day after the last attempt`() async throws {
        try await withUsers { users in
            let (old, new) = (Person(), Person())
            for person in [old, new] { _ = await attempt(users, person.email) }
            try await setState(of: old.email, failures: 5, blockedFor: "0", age: "25 hours")

            // Each wrong password has ten old ones forgotten.
            for _ in 0..<20 { _ = await attempt(users, Person().email) }

            let left = try await PostgresServer.shared.psql(
                "SELECT count(*) FROM users.sign_in_attempts WHERE address_sha256 IN (sha256('\(old.email)'), sha256('\(new.email)'))",
                database: try await usersDatabase().database)
            #expect(left == "1")
        }
    }
}
