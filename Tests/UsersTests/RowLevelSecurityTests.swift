internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import Testing
internal import Tokens

@testable internal import Users

@Suite struct `The users role` {
    /// One query for each table with a user's id, written as a forgetful programmer would: without a condition.
    private static let everything: [Query] = [
        "SELECT id FROM users.users", "SELECT user_id FROM users.sessions",
        "SELECT user_id FROM users.refresh_tokens", "SELECT user_id FROM users.user_consents",
    ]

    /// An account with a row in every table.
    private func account(_ users: UsersStand) async throws -> UUID {
        let tokens = try await users.register(Person())
        _ = try await users.service.giveConsent(
            .init(kind: .healthData, documentVersion: "1"), context: users.context(tokens))
        return try await users.claims(tokens).subject
    }

    @Test(arguments: everything.indices)
    func `sees the rows of the person it works for and no others`(table: Int) async throws {
        try await withUsers { users in
            let ada = try await account(users)
            let bob = try await account(users)

            let seen = try await users.postgres.rows(
                Self.everything[table], as: Scalar<UUID>.self, identity: .user(ada))

            #expect(Set(seen.map(\.value)) == [ada])
            #expect(ada != bob)
        }
    }

    @Test(arguments: everything.indices)
    func `sees nothing when it works for nobody`(table: Int) async throws {
        try await withUsers { users in
            _ = try await account(users)

            let seen = try await users.postgres.rows(Self.everything[table], as: Scalar<UUID>.self)

            #expect(seen.isEmpty)
        }
    }

    @Test func `sees one row before anybody is known, and cannot change it`() async throws {
        try await withUsers { users in
            let ada = Person()
            let id = try await users.claims(users.register(ada)).subject
            _ = try await account(users)

            let seen = try await users.postgres.rows(
                "SELECT id FROM users.users", as: Scalar<UUID>.self, identity: .login(email: ada.email))
            let changed = try await users.postgres.execute(
                "UPDATE users.users SET role = 'operator' WHERE id = \(id)", identity: .login(email: ada.email))

            #expect(seen.map(\.value) == [id])
            #expect(changed == 0)
        }
    }

    @Test func `changes no row of anybody else`() async throws {
        try await withUsers { users in
            let ada = try await account(users)
            let bob = try await account(users)

            let renamed = try await users.postgres.execute(
                "UPDATE users.users SET name = 'Eve' WHERE id = \(bob)", identity: .user(ada))
            let withdrawn = try await users.postgres.execute(
                "UPDATE users.user_consents SET epoch = epoch + 1 WHERE user_id = \(bob)", identity: .user(ada))
            let forgotten = try await users.postgres.execute(
                "DELETE FROM users.refresh_tokens WHERE user_id = \(bob)", identity: .user(ada))

            #expect((renamed, withdrawn, forgotten) == (0, 0, 0))
        }
    }

    @Test func `adds no row for anybody else`() async throws {
        try await withUsers { users in
            let ada = try await account(users)
            let bob = try await account(users)

            let error = await #expect(throws: PostgresError.self) {
                try await users.postgres.execute(
                    "INSERT INTO users.sessions (user_id, id) VALUES (\(bob), \(UUID()))", identity: .user(ada))
            }

            #expect(error?.code == .insufficientPrivilege)
        }
    }
}
