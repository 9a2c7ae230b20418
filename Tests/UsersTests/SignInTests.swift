internal import Contracts
internal import Passwords
internal import RPC
internal import RecordTestSupport
internal import Synchronization
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

@Suite struct `Who signs in` {
    @Test func `gets an access token for a quarter of an hour and a refresh token for thirty days`() async throws {
        try await withUsers { users in
            let ada = Person()
            let registered = try await users.claims(users.register(ada))
            let before = Instant.now()

            let response = try await users.service.logIn(ada.signIn, context: anonymous)
            let tokens = try #require(response.tokens)
            let claims = try await users.claims(tokens)

            #expect(response.user?.email == ada.email)
            #expect(claims.subject == registered.subject)
            #expect(claims.role == .user)
            #expect(claims.sessionID != registered.sessionID)
            #expect(claims.expiresAt - claims.issuedAt == .seconds(900))
            #expect(tokens.accessTokenExpiresAt == .init(claims.expiresAt))
            #expect(try #require(tokens.refreshTokenExpiresAt).seconds - before.microsecondsSinceEpoch / 1_000_000 >= 2_592_000)
        }
    }

    @Test func `may write the address in capitals`() async throws {
        try await withUsers { users in
            let ada = Person()
            _ = try await users.register(ada)
            var request = ada.signIn
            request.email = ada.email.uppercased()

            let response = try await users.service.logIn(request, context: anonymous)

            #expect(response.user?.email == ada.email)
        }
    }

    @Test func `is told the same whether the password is wrong or the account does not exist`() async throws {
        try await withUsers { users in
            let ada = Person()
            _ = try await users.register(ada)
            var wrong = ada.signIn
            wrong.password = "correct horse battery stable"

            let wrongPassword = await #expect(throws: UsersError.self) {
                try await users.service.logIn(wrong, context: anonymous)
            }
            let unknownAccount = await #expect(throws: UsersError.self) {
                try await users.service.logIn(Person().signIn, context: anonymous)
            }

            #expect(wrongPassword == .wrongCredentials)
            #expect(unknownAccount == .wrongCredentials)
            #expect(UsersError.wrongCredentials.rpcError.code == .unauthenticated)
        }
    }

    @Test func `has a password checked whether the account exists or not`() async throws {
        let checked = Mutex<[Bool]>([])
        let passwords = Passwords.quick()
        let credentials = CredentialCheck { password, storedHash async throws(PasswordsError) in
            checked.withLock { $0.append(storedHash != nil) }
            return try await CredentialCheck(passwords).matches(password, storedHash)
        }
        try await withUsers(passwords: passwords, credentials: credentials) { users in
            let ada = Person()
            _ = try await users.register(ada)

            _ = try await users.signIn(ada)
            await expect(.unauthenticated) { try await users.signIn(Person()) }

            #expect(checked.withLock { $0 } == [true, false])
        }
    }

    @Test func `is asked to come back when too many passwords are being checked`() async throws {
        let passwords = Passwords(parameters: .owasp, threads: 1, maxQueued: 1)
        let credentials = CredentialCheck { password, storedHash async throws(PasswordsError) in
            try await CredentialCheck(passwords).whileManyWait(password, storedHash)
        }
        try await withUsers(credentials: credentials) { users in
            let ada = Person()
            _ = try await users.register(ada)

            let known = await #expect(throws: UsersError.self) { try await users.signIn(ada) }
            let unknown = await #expect(throws: UsersError.self) { try await users.signIn(Person()) }

            #expect(known == .passwordsBusy)
            #expect(unknown == .passwordsBusy)
            let answer = UsersError.passwordsBusy.rpcError
            #expect(answer.code == .resourceExhausted)
            #expect(answer.detail(GoogleRPC.RetryInfo.self)?.retryDelay?.seconds == 1)
        }
    }

    @Test func `is told which field is wrong when it cannot be anybody's`() async throws {
        try await withUsers { users in
            await expect(.invalidArgument, fields: ["email", "password"]) {
                try await users.service.logIn(.init(email: "ada@", password: ""), context: anonymous)
            }
            await expect(.invalidArgument, fields: ["password"]) {
                try await users.service.logIn(
                    .init(email: "ada@example.org", password: String(repeating: "x", count: 257)), context: anonymous)
            }
        }
    }

    @Test func `has an old hash replaced by a stronger one`() async throws {
        let ada = Person()
        try await withUsers(passwords: .quick(iterations: 1)) { users in
            let context = try await users.context(users.register(ada))
            _ = try await users.service.getProfile(.init(), context: context)
        }

        try await withUsers(passwords: .quick(iterations: 2)) { users in
            _ = try await users.signIn(ada)
            let context = try await users.context(users.signIn(ada))

            let stored = try await UserRepository(postgres: users.postgres).credentials(of: EmailAddress(ada.email))
            #expect(try !users.passwords.needsRehash(#require(stored?.passwordHash)))
            #expect(stored?.user.version == 1)
            // No cache has what the row was before.
            let shown = try await users.service.getProfile(.init(), context: context).user
            #expect(shown == stored.map { UsersV1.User($0.user) })
        }
    }
}

extension CredentialCheck {
    /// Checks a password so often at once that a queue with one place must refuse some, and answers as those were.
    fileprivate func whileManyWait(_ password: String, _ storedHash: String?) async throws(PasswordsError) -> Bool {
        let refusals = await withTaskGroup(of: PasswordsError?.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    do throws(PasswordsError) {
                        _ = try await matches(password, storedHash)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(into: []) { refusals, error in refusals += [error].compactMap(\.self) }
        }
        if let refusal = refusals.first { throw refusal }
        return false
    }
}
