internal import Application
internal import Contracts
internal import Foundation
internal import Jobs
internal import Passwords
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Resilience
internal import TestSupport
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

/// One after the other, in a database of their own: a relay takes whatever its outbox has.
@Suite(.serialized, .timeLimit(.minutes(5))) struct `An account that is erased` {
    @Test func `is closed at once: no token, no sign-in, and its address is free`() async throws {
        try await withUsers(in: erasureDatabase) { users in
            let ada = Person()
            let phone = try await users.register(ada)
            let watch = try await users.signIn(ada)

            let erasure = try await users.erase(ada, phone)

            #expect(erasure.state == .pending)
            #expect(erasure.receipt.isEmpty)
            for tokens in [phone, watch] {
                #expect(try await users.standing(users.claims(tokens)) == .revoked)
                await expect(.unauthenticated) { try await users.refresh(tokens) }
            }
            await expect(.unauthenticated) { try await users.signIn(ada) }
            let left = try await runAsAdministrator(
                "SELECT name, password_hash, phone IS NULL FROM users.users WHERE id = '\(try await users.claims(phone).subject)'")
            #expect(left == "-|-|t")
            _ = try await users.register(ada)
        }
    }

    @Test func `is closed at its owner's word or an operator's, and an operator's not at all`() async throws {
        try await withUsers(in: erasureDatabase) { users in
            let ada = Person()
            let tokens = try await users.register(ada)
            let user = try await users.claims(tokens).subject
            let context = try await users.context(tokens)

            await expect(.unauthenticated) { try await users.service.eraseAccount(.init(password: "another password"), context: context) }
            await expect(.invalidArgument, fields: ["password"]) { try await users.service.eraseAccount(.init(), context: context) }
            _ = try await users.signIn(ada)
            let first = try await users.service.eraseUser(.init(userId: user.uuidString), context: anonymous).erasure
            let second = try await users.service.eraseUser(.init(userId: user.uuidString), context: anonymous).erasure
            let root = UUID().uuidString.lowercased()
            try await runAsAdministrator(
                "INSERT INTO users.users (id, email, name, password_hash, role) VALUES ('\(root)', '\(root)', 'O', '-', 'operator')")

            #expect(first != nil && first == second)
            await expect(.failedPrecondition) { try await users.service.eraseUser(.init(userId: root), context: anonymous) }
            await expect(.notFound) { try await users.service.eraseUser(.init(userId: UUID().uuidString), context: anonymous) }
            await expect(.notFound) { try await users.service.getErasure(.init(erasureId: UUID().uuidString), context: anonymous) }
        }
    }

    @Test func `cannot be signed in to by whoever was checked just before`() async throws {
        let ada = Person()
        let closing = Once<Void> { try await withUsers(in: erasureDatabase) { users in _ = try await users.erase(ada, users.signIn(ada)) } }
        try await withUsers(in: erasureDatabase) { users in _ = try await users.register(ada) }
        let credentials = CredentialCheck { _, _ async throws(PasswordsError) in
            do { try await closing.value } catch { Issue.record(error) }
            return true
        }

        try await withUsers(in: erasureDatabase, credentials: credentials) { users in
            await expect(.unauthenticated) { try await users.signIn(ada) }
        }
    }

    @Test func `is closed at the same moment as one with which it has exchanged grants`() async throws {
        try await withUsers(in: erasureDatabase) { users in
            let erasures = ErasureRepository(postgres: users.postgres)
            for _ in 0..<3 {
                let people = [try await newcomer(users), try await newcomer(users)]
                let grants = [try await grant(by: people[0], to: people[1], users), try await grant(by: people[1], to: people[0], users)]

                // Both stand in front of the rows of the grants when those are let go.
                let closings = try await users.postgres.transaction(identity: .user(people[0].uuid), tier: .slow) { transaction in
                    try await transaction.execute("SELECT FROM users.care_grants WHERE id = ANY(\(grants)) FOR UPDATE")
                    let closings = people.map { person in
                        Task { try await erasures.close(person, by: .user, accessUntil: .now() + .seconds(60)) }
                    }
                    try await waitUntilWaiting(2, users)
                    return closings
                }

                for closing in closings { #expect(try await closing.value.finishedAt == nil) }
                let open = try await runAsAdministrator(
                    "SELECT count(*) FROM users.care_grants WHERE id IN ('\(grants[0])', '\(grants[1])') AND revoked_at IS NULL")
                #expect(open == "0")
            }
        }
    }

    @Test func `is closed at the same moment as it gives a grant anew`() async throws {
        try await withUsers(in: erasureDatabase) { users in
            let erasures = ErasureRepository(postgres: users.postgres)
            let (ada, cora) = (try await newcomer(users), try await newcomer(users))
            let first = try await grant(by: ada, to: cora, users)

            let (giving, closing) = try await users.postgres.transaction(identity: .user(ada.uuid), tier: .slow) { transaction in
                try await transaction.execute("SELECT FROM users.care_grants WHERE id = \(first) FOR UPDATE")
                let giving = Task { try await grant(by: ada, to: cora, users) }
                try await waitUntilWaiting(1, users)
                let closing = Task { try await erasures.close(ada, by: .user, accessUntil: .now() + .seconds(60)) }
                try await waitUntilWaiting(2, users)
                return (giving, closing)
            }

            _ = try await giving.value
            _ = try await closing.value
            let open = try await runAsAdministrator(
                "SELECT count(*) FROM users.care_grants WHERE user_id = '\(ada.uuid)' AND revoked_at IS NULL")
            #expect(open == "0")
        }
    }

    @Test func `is closed at the same moment as a token of it is used a second time`() async throws {
        try await withUsers(in: erasureDatabase) { users in
            let erasures = ErasureRepository(postgres: users.postgres)
            let tokens = try await users.register(Person())
            let claims = try await users.claims(tokens)
            _ = try await users.refresh(tokens)

            let (reuse, closing) = try await users.postgres.transaction(tier: .slow) { transaction in
                // What ends the session waits here, with the rows of the token and of the session in its hands.
                try await transaction.execute(
                    "INSERT INTO heartguard.revocations (id, expires_at) VALUES (\(claims.sessionID), clock_timestamp())")
                let reuse = Task { try await users.refresh(tokens) }
                try await waitUntilWaiting(1, users)
                let closing = Task { try await erasures.close(UserID(claims.subject), by: .user, accessUntil: .now() + .seconds(60)) }
                try await waitUntilWaiting(2, users)
                return (reuse, closing)
            }

            await expect(.unauthenticated) { try await reuse.value }
            #expect(try await closing.value.finishedAt == nil)
        }
    }

    @Test func `leaves a receipt that says what was removed where, is signed, and names nobody`() async throws {
        try await withUsers(in: erasureDatabase) { users in
            try await users.erasing { erasing in
                let ada = Person()
                let tokens = try await users.register(ada)
                let user = try await users.claims(tokens).subject
                try await PersonalRows.make(of: user)
                let asked = try await users.erase(ada, tokens)
                let id = try ErasureID(parsing: asked.id)

                let erasure = try await erasing.finish(id)

                let told = try #require(try await users.service.getErasure(.init(erasureId: asked.id), context: anonymous).erasure)
                #expect(told.state == .done)
                #expect(told.finishedAt != nil)
                let keys = try TokenKeySet(json: users.signer.jwks)
                let receipt = try keys.claims(of: told.receipt, type: ErasureReceipt.type, as: ErasureReceipt.self)
                #expect(receipt.jti == asked.id)
                #expect(receipt.removed == PersonalRows.made)
                #expect(receipt.requestedBy == "user")
                #expect(erasure.receipt == told.receipt)
                #expect(try await PersonalRows.tables(with: user) == [])
                let traces = try await runAsAdministrator(
                    """
                    SELECT count(*) FROM users.outbox WHERE lower(payload::text) LIKE '%\(user.uuidString.lowercased())%';
                    SELECT count(*) FROM users.erasures e WHERE e::text LIKE '%\(user.uuidString.lowercased())%'
                    """)
                #expect(traces == "0\n0")
            }
        }
    }

    /// Eighteen rows but for the account's are seventeen calls, and one to each of four services finds nothing; a second job makes four. Each may be
    /// broken off before it does anything, and behind it.
    private static let steps = 2 * (17 + 4 + 4)

    @Test func `is gone entirely and has one receipt, wherever the work is broken off`() async throws {
        try await withUsers(in: erasureDatabase) { users in
            try await users.erasing { erasing in
                try await erasing.working {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for step in 1...(Self.steps + 1) { group.addTask { try await Self.expectErased(erasing, step) } }
                        try await group.waitForAll()
                    }
                }
            }
        }
    }

    private static func expectErased(_ erasing: Erasing, _ step: Int) async throws {
        let ada = Person()
        let tokens = try await erasing.users.register(ada)
        let user = try await erasing.users.claims(tokens).subject
        try await PersonalRows.make(of: user)
        let fuse = Fuse(step)
        erasing.fuses[user] = fuse

        let erasure = try await erasing.receipted(try ErasureID(parsing: try await erasing.users.erase(ada, tokens).id))

        let keys = try TokenKeySet(json: erasing.users.signer.jwks)
        let receipt = try keys.claims(of: erasure.receipt ?? "", type: ErasureReceipt.type, as: ErasureReceipt.self)
        #expect(receipt.removed == PersonalRows.made, "broken off at step \(step)")
        #expect(try await PersonalRows.tables(with: user) == [], "broken off at step \(step)")
        #expect(fuse.hasBlown == (step <= steps), "broken off at step \(step)")
    }

    @Test func `stays as it was left when its jobs are run again`() async throws {
        try await withUsers(in: erasureDatabase) { users in
            try await users.erasing { erasing in
                let ada = Person()
                let tokens = try await users.register(ada)
                let user = try await users.claims(tokens).subject
                let id = try ErasureID(parsing: try await users.erase(ada, tokens).id)
                let first = try await erasing.finish(id)

                let outbox = erasing.jobs.erasures.outbox
                try await users.postgres.transaction { transaction in
                    for step in [ErasureStep.eraseAccount, .finishErasure] {
                        try await outbox.add(step.event(id, UserID(user)), in: transaction)
                    }
                }
                let again = try await erasing.finish(id)

                #expect(again == first)
            }
        }
    }

    @Test func `has no step added behind its end, which would name whose it was`() async throws {
        try await withUsers(in: erasureDatabase) { users in
            let erasures = ErasureRepository(postgres: users.postgres)
            let ada = Person()
            let tokens = try await users.register(ada)
            let user = UserID(try await users.claims(tokens).subject)
            let id = try ErasureID(parsing: try await users.erase(ada, tokens).id)
            func add(_ step: ErasureStep) async throws {
                try await users.postgres.transaction { transaction in try await erasures.add(step, of: id, user, in: transaction) }
            }
            let events = "SELECT count(*) FROM users.outbox WHERE aggregate_id = '\(id.text)'"
            try await add(.finishErasure)
            #expect(try await runAsAdministrator(events) == "2")

            // The end comes while a step is being added, and has to wait for it.
            let ending = try await users.postgres.transaction(tier: .slow) { transaction in
                try await erasures.add(.finishErasure, of: id, user, in: transaction)
                let ending = Task {
                    try await users.postgres.transaction(identity: .user(user.uuid)) { transaction in
                        try await transaction.execute(.finish(id, at: .now(), receipt: "receipt"))
                        try await transaction.execute(.forgetEvents(of: user))
                    }
                }
                try await waitUntilWaiting(1, users)
                return ending
            }
            _ = try await ending.value
            try await add(.finishErasure)

            #expect(try await runAsAdministrator(events) == "0")
        }
    }

    @Test func `is taken up again when its jobs were lost, and loses what was written meanwhile`() async throws {
        try await withUsers(in: erasureDatabase) { users in
            try await users.erasing { erasing in
                let ada = Person()
                let tokens = try await users.register(ada)
                let user = try await users.claims(tokens).subject
                let id = try ErasureID(parsing: try await users.erase(ada, tokens).id)
                // As if Redis had lost them after they were told.
                try await runAsAdministrator("UPDATE users.outbox SET published_at = now() WHERE aggregate_id = '\(id.text)'")
                try await PersonalRows.make(of: user)

                let early = try await erasing.jobs.erasures.resume(requestedBefore: .now() - .seconds(3_600))
                let count = try await erasing.jobs.erasures.resume(requestedBefore: .now() + .seconds(1))
                _ = try await erasing.finish(id)

                #expect(early == 0)
                #expect(count >= 1)
                #expect(try await PersonalRows.tables(with: user) == [])
            }
        }
    }

    @Test func `has its receipt no sooner than nothing can be written for it any more`() async throws {
        try await withUsers(in: erasureDatabase) { users in
            try await users.erasing(settling: .seconds(4)) { erasing in
                let ada = Person()
                let tokens = try await users.register(ada)
                let user = try await users.claims(tokens).subject
                let asked = try await users.erase(ada, tokens)
                let late = Task {
                    try await Task.sleep(for: .seconds(1))
                    try await PersonalRows.make(of: user)
                }

                let erasure = try await erasing.finish(try ErasureID(parsing: asked.id))
                try await late.value

                #expect(try #require(erasure.finishedAt) - erasure.requestedAt >= .seconds(4))
                #expect(try await PersonalRows.tables(with: user) == [])
            }
        }
    }

    @Test func `has its events found by the index of every outbox`() async throws {
        let server = try await PostgresServer.shared
        let name = try await erasureDatabase.value.database
        let subject = ErasureSubject(erasure: UUID(), user: UUID())
        let schemas: [Query] = ["users", "vitals", "chat", "vectors"]
        var statements = schemas.map { Statement<Void>.forgetEvents(about: subject, in: $0) }
        statements.append(.forgetEvents(of: UserID(subject.user)))
        try await PostgresServer.withClient(server.configuration(database: name)) { administrator in
            for statement in statements {
                let plan = try await administrator.transaction { transaction in
                    // A table of a few rows is read whole by whoever may.
                    try await transaction.execute("SET LOCAL enable_seqscan = off")
                    return try await transaction.rows("EXPLAIN \(statement.query)", as: Scalar<String>.self)
                }

                #expect(plan.contains { $0.value.contains("outbox_of_person") }, "\(statement.query.sql)")
            }
        }
    }

    @Test func `is the only one whose rows go`() async throws {
        try await withUsers(in: erasureDatabase) { users in
            try await users.erasing { erasing in
                let (ada, bob) = (Person(), Person())
                let tokens = try await users.register(ada)
                let other = try await users.claims(users.register(bob)).subject
                try await PersonalRows.make(of: other)
                let before = try await PersonalRows.tables(with: other)

                _ = try await erasing.finish(try ErasureID(parsing: try await users.erase(ada, tokens).id))
                let subject = ErasureSubject(erasure: UUID(), user: other)

                await #expect(throws: ErasureError.accountStands) {
                    try await RecordErasure(postgres: users.postgres, schema: "users") { _ in }.erase(subject)
                }
                #expect(try await PersonalRows.tables(with: other) == before)
                _ = try await users.signIn(bob)
            }
        }
    }
}

private func newcomer(_ users: UsersStand) async throws -> UserID { UserID(try await users.newcomer().caller().userID) }

private func grant(by patient: UserID, to clinician: UserID, _ users: UsersStand) async throws -> UUID {
    let wish = GrantWish(
        id: UUIDv7.make(), clinician: .id(clinician.uuid), scopes: [.vitalsRead], purpose: "Follow-up", expiresAt: .now() + .seconds(600))
    return try await CareGrantRepository(postgres: users.postgres).give(wish, by: patient).id
}

/// Until so many sessions of the database of these tests wait for a lock. Nobody else is there: the suite is serialized.
private func waitUntilWaiting(_ count: Int64, _ users: UsersStand) async throws {
    while true {
        let waiting = try await users.postgres.first(
            "SELECT count(*) AS sessions FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
            as: Scalar<Int64>.self)
        if let waiting, waiting.value >= count { return }
        try await Task.sleep(for: .milliseconds(2))
    }
}

extension UsersStand {
    /// Has a person erase the account.
    func erase(_ person: Person, _ tokens: UsersV1.TokenPair) async throws -> UsersV1.Erasure {
        let answer = try await service.eraseAccount(.init(password: person.password), context: context(tokens))
        return try #require(answer.erasure)
    }
}
